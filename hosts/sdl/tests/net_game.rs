//! The example `net_game`, as two users run it.

use std::process::Command;

use interloop_demos::testing::{Program, close_window, example, has_display};

/// A player, by the arguments; the rest of the packets is lost.
fn player(arguments: &[&str]) -> Program {
    let mut command = Command::new(example("net_game"));
    Program::start(command.args(arguments).args(["--bot", "--loss", "20"]))
}

#[test]
fn two_play_and_leave_with_a_goodbye() {
    if !has_display() {
        return;
    }
    let mut host = player(&["--host", "127.0.0.1:0"]);
    let address = host.line("host at ").replace("host at ", "");
    let mut guest = player(&["--join", &address]);
    for player in [&mut host, &mut guest] {
        player.line("the other player is here");
        player.line("score ");
        player.line("score ");
    }
    // Packets are on their way in both directions.
    close_window("net_game: guest");
    let ended = guest.end();
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{ended:?}");
    host.line("the other player has left");
    close_window("net_game: host");
    let ended = host.end();
    assert_eq!((ended.code, ended.errors.as_str()), (Some(0), ""), "{ended:?}");
}

#[test]
fn a_machine_without_a_display_is_told() {
    let mut command = Command::new(example("net_game"));
    for variable in ["DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER"] {
        command.env_remove(variable);
    }
    let ended = Program::start(command.args(["--host", "127.0.0.1:0"])).end();
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.errors.contains("there is no display"), "{ended:?}");
}

#[test]
fn a_wrong_command_line_is_refused() {
    for arguments in [&["--loss", "much"][..], &["--host"], &[]] {
        let mut command = Command::new(example("net_game"));
        let ended = Program::start(command.args(arguments)).end();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(ended.errors.starts_with("net_game: "), "{ended:?}");
    }
}
