//! The example `dashboard`, as a user runs it.

use std::process::Command;

use interloop_demos::testing::{Program, close_window, example, has_display};

#[test]
fn its_window_is_closed_with_messages_on_their_way() {
    if !has_display() {
        return;
    }
    let mut command = Command::new(example("dashboard"));
    command.args(["--clients", "20", "--rate", "0"]).env("LIBGL_ALWAYS_SOFTWARE", "1");
    let mut dashboard = Program::start(&mut command);
    dashboard.line("messages come back");
    close_window("dashboard");
    let ended = dashboard.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let words: Vec<&str> = ended.output.split_whitespace().collect();
    let [sent, "messages", "were", "sent,", received, .., "0", "connections", "failed"] = words[..]
    else {
        panic!("{ended:?}");
    };
    assert_eq!(sent, received, "{ended:?}");
    // OpenGL may have something to say there. The reactor has not.
    assert!(!ended.errors.contains("interloop"), "{ended:?}");
}

#[test]
fn a_machine_without_a_display_is_told() {
    let mut command = Command::new(example("dashboard"));
    for variable in ["DISPLAY", "WAYLAND_DISPLAY", "WAYLAND_SOCKET"] {
        command.env_remove(variable);
    }
    let ended = Program::start(&mut command).end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.starts_with("dashboard: is there a display?"), "{ended:?}");
}

#[test]
fn a_wrong_command_line_is_refused() {
    let mut command = Command::new(example("dashboard"));
    let ended = Program::start(command.args(["--rate", "fast"])).end();
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.errors.starts_with("dashboard: "), "{ended:?}");
}
