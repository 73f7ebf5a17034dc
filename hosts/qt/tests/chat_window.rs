//! The example `chat_window`, as its users run it.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::Command;
use std::sync::{Mutex, MutexGuard, PoisonError};

use interloop_demos::testing::{
    Program, close_window, example, has_display, press, type_text, wait_for_window,
};

/// A display, for one test at a time: there is one keyboard. None where there is no display.
fn display() -> Option<MutexGuard<'static, ()>> {
    static KEYBOARD: Mutex<()> = Mutex::new(());
    // A test that has failed does not touch it any more.
    has_display().then(|| KEYBOARD.lock().unwrap_or_else(PoisonError::into_inner))
}

fn chat(arguments: &[&str]) -> Program {
    Program::start(Command::new(example("chat_window")).args(arguments).arg("--print"))
}

/// Somebody with a window, who is in the chat.
fn member(name: &str, address: &str, more: &[&str]) -> Program {
    let mut program = chat(&[&["--name", name, "--server", address, "--join"], more].concat());
    program.line("you are in");
    wait_for_window(&title(name));
    program
}

fn title(name: &str) -> String {
    format!("chat: {name}")
}

/// One who serves, and his address.
fn host(name: &str) -> (Program, String) {
    let mut program = chat(&["--name", name, "--server", "127.0.0.1:0", "--serve", "--join"]);
    let address = program.line("listening on ").replace("listening on ", "");
    program.line("you are in");
    wait_for_window(&title(name));
    (program, address)
}

fn say(name: &str, text: &str) {
    type_text(&title(name), text);
    press(&title(name), "Return");
}

fn succeed(program: Program) -> String {
    let ended = program.end();
    assert_eq!(ended.code, Some(0), "{ended:?}");
    ended.output
}

#[test]
fn two_windows_and_a_server_talk_and_part() {
    let Some(_display) = display() else { return };
    let (mut alice, address) = host("alice");
    let mut bob = member("bob", &address, &[]);
    alice.line("bob has come");
    say("bob", "hello, alice");
    alice.line("bob: hello, alice");
    say("alice", "hello, bob");
    bob.line("alice: hello, bob");

    // What is said last arrives, though the window is closed at once.
    say("bob", "I must go");
    close_window(&title("bob"));
    succeed(bob);
    alice.line("bob: I must go");
    alice.line("bob has gone");
    close_window(&title("alice"));
    succeed(alice);
}

#[test]
fn a_window_is_closed_under_a_flood_with_a_goodbye_to_all() {
    let Some(_display) = display() else { return };
    let (mut dora, address) = host("dora");
    let mut emil = member("emil", &address, &[]);
    let stream = TcpStream::connect(&address).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut talker = stream;
    talker.write_all(b"talker\n").unwrap();
    assert!(lines.next().unwrap().unwrap().starts_with("* welcome"));
    // It talks until nobody listens any more.
    let talking = std::thread::spawn(move || while talker.write_all(b"and so on\n").is_ok() {});
    dora.line("talker: and so on");
    emil.line("talker: and so on");
    close_window(&title("dora"));
    succeed(dora);
    let output = emil.line("the server ends");
    assert!(output.contains("goodbye"), "{output}");
    close_window("chat");
    succeed(emil);
    talking.join().unwrap();
}

#[test]
fn a_name_that_is_taken_is_refused_and_another_one_is_not() {
    let Some(_display) = display() else { return };
    let (fritz, address) = host("fritz");
    let mut other = chat(&["--name", "fritz", "--server", &address, "--join"]);
    other.line("fritz is taken");
    // The focus is in the line for the name, and all of it is selected.
    type_text("chat", "gerda");
    press("chat", "Return");
    other.line("you are in");
    close_window(&title("gerda"));
    succeed(other);
    close_window(&title("fritz"));
    succeed(fritz);
}

#[test]
fn a_wrong_command_line_is_refused() {
    for arguments in [&["--name"][..], &["--louder"], &["alice"]] {
        let ended = Program::start(Command::new(example("chat_window")).args(arguments)).end();
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.errors.starts_with("chat_window: ") && ended.errors.contains("--help"),
            "{ended:?}"
        );
    }
}
