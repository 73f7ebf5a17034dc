//! The host that nobody has heard of.

use crate::program::run;

#[test]
fn messages_go_on_in_the_dialog_and_a_goodbye_is_said_after_the_loop() {
    let output = run("your_own_host", &[]).success();
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(
        lines,
        [
            "a dialog opens after 10 messages",
            "it is closed after 20: they went on",
            "the window is closed",
            "the server says \"goodbye\"",
            "the reactor has finished: true",
        ]
    );
}
