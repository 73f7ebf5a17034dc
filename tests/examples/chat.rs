//! The chat.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};

use rustix::process::Signal;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::program::{LIMIT, Program, example, fail, refuse, run};

/// A server at a free port. Its input is nothing, whose end is no reason to stop.
fn server() -> (Program, SocketAddr) {
    let mut command = Command::new(example("chat"));
    command.args(["server", "--listen", "127.0.0.1:0"]).stdin(Stdio::null());
    let mut server = Program::start(&mut command);
    let address = server.address();
    (server, address)
}

fn client_command(address: SocketAddr, name: &str) -> Command {
    let mut command = Command::new(example("chat"));
    command.args(["client", "--connect", &address.to_string(), "--name", name]);
    command
}

/// A client that has been welcomed.
fn client(address: SocketAddr, name: &str) -> Program {
    let mut client = Program::start(client_command(address, name).stdin(Stdio::piped()));
    client.line(&format!("* welcome, {name}"));
    client
}

/// A client without a program.
struct Raw {
    stream: TcpStream,
    lines: BufReader<TcpStream>,
}

impl Raw {
    fn connect(address: SocketAddr, name: &str) -> Raw {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream.write_all(format!("{name}\n").as_bytes()).unwrap();
        let lines = BufReader::new(stream.try_clone().unwrap());
        Raw { stream, lines }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line
    }
}

#[test]
fn lines_go_to_all_others_with_the_name_of_who_said_it() {
    let (mut server, address) = server();
    let mut alice = client(address, "alice");
    let mut bob = client(address, "bob");
    alice.line("* bob has joined");
    let mut carol = client(address, "carol");
    alice.line("* carol has joined");
    bob.line("* carol has joined");
    bob.type_line("hello");
    assert_eq!(alice.next_line().as_deref(), Some("bob: hello"));
    assert_eq!(carol.next_line().as_deref(), Some("bob: hello"));
    alice.type_line("hello, bob");
    // His own line has not come back to him.
    assert_eq!(bob.next_line().as_deref(), Some("alice: hello, bob"));
    bob.close_input();
    bob.end().success();
    alice.line("* bob has left");
    server.line("* bob has left");
}

#[test]
fn a_signal_ends_the_server_with_a_goodbye_to_all() {
    for signal in [Signal::TERM, Signal::INT] {
        let (server, address) = server();
        let clients = ["alice", "bob"].map(|name| (name, client(address, name)));
        server.signal(signal);
        for (name, mut client) in clients {
            client.line(&format!("* goodbye, {name}"));
            client.end().success();
        }
        server.end().success();
    }
}

#[test]
fn the_end_of_its_input_ends_the_server() {
    let mut command = Command::new(example("chat"));
    command.args(["server", "--listen", "127.0.0.1:0"]).stdin(Stdio::piped());
    let mut server = Program::start(&mut command);
    let mut alice = client(server.address(), "alice");
    server.close_input();
    alice.line("* goodbye, alice");
    alice.end().success();
    server.end().success();
}

#[test]
fn a_name_is_given_once_and_again_when_it_is_free() {
    let (_server, address) = server();
    let mut other = client(address, "bob");
    let alice = client(address, "alice");
    other.line("* alice has joined");
    let twin = Program::start(client_command(address, "alice").stdin(Stdio::piped()));
    let error = twin.end().failure("chat");
    assert!(error.contains("alice is taken") && error.contains("--name"), "{error}");
    alice.signal(Signal::KILL);
    other.line("* alice has left");
    client(address, "alice");
}

#[test]
fn a_name_that_is_none_is_refused_by_the_server_too() {
    let (_server, address) = server();
    let mut raw = Raw::connect(address, "* alice has left");
    assert!(raw.line().starts_with("! a name has 1 to 32"));
    assert_eq!(raw.line(), "");
}

#[test]
fn a_line_that_is_too_long_ends_the_connection() {
    let (_server, address) = server();
    let mut alice = client(address, "alice");
    let mut raw = Raw::connect(address, "talker");
    assert!(raw.line().contains("welcome"));
    raw.stream.write_all(&[b'x'; 1024]).unwrap();
    raw.stream.write_all(b"\n").unwrap();
    assert!(alice.line("talker: ").ends_with(&"x".repeat(1024)));
    // What follows is unread when the server has had enough; the client hears why all the same.
    raw.stream.write_all(&[b'x'; 100_000]).unwrap();
    assert!(raw.line().starts_with("! a line may have 1024 bytes"));
    alice.line("* talker has left");
}

#[test]
fn control_characters_do_not_reach_the_others() {
    let (_server, address) = server();
    let mut alice = client(address, "alice");
    let mut raw = Raw::connect(address, "talker");
    alice.line("* talker has joined");
    raw.stream.write_all(b"red \x1b[31m, \xff\r\n\nagain\n").unwrap();
    assert_eq!(alice.next_line().as_deref(), Some("talker: red \u{fffd}[31m, \u{fffd}"));
    assert_eq!(alice.next_line().as_deref(), Some("talker: again"));
}

#[test]
fn one_that_does_not_read_is_dropped_and_the_others_go_on() {
    let (_server, address) = server();
    let mut slow = Raw::connect(address, "slow");
    assert!(slow.line().contains("welcome"));
    let mut alice = client(address, "alice");
    let mut talker = Raw::connect(address, "talker");
    assert!(talker.line().contains("welcome"));
    let mut lines = [[b'x'; 999].as_slice(), b"\n"].concat().repeat(100);
    lines.extend_from_slice(b"mark\n");
    let mut news = String::new();
    // More than the system's buffers hold comes to that in the end. Alice is waited for, lest she
    // should fall behind too.
    for _ in 0..10_000 {
        talker.stream.write_all(&lines).unwrap();
        alice.line("talker: mark");
        talker.stream.set_nonblocking(true).unwrap();
        let read = talker.lines.read_line(&mut news);
        talker.stream.set_nonblocking(false).unwrap();
        match read {
            Ok(_) => break,
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock),
        }
    }
    assert!(news.contains("* slow was dropped: it does not read"), "{news:?}");
    talker.stream.write_all(b"still here\n").unwrap();
    alice.line("talker: still here");
    // It has been cut off: after what the system held for it comes the end.
    let mut rest = Vec::new();
    let _reset = slow.lines.read_to_end(&mut rest);
}

#[test]
fn twenty_clients_hear_each_other() {
    let (server, address) = server();
    let names: Vec<String> = (0..20).map(|number| format!("client-{number}")).collect();
    let mut clients: Vec<Program> = names.iter().map(|name| client(address, name)).collect();
    for client in &mut clients {
        for number in 0..10 {
            client.type_line(&format!("line {number}"));
        }
    }
    for (own, client) in clients.iter_mut().enumerate() {
        let mut next = vec![0; names.len()];
        while next.iter().sum::<usize>() < 19 * 10 {
            let line = client.next_line().expect("the server is there");
            let Some((name, said)) = line.split_once(": ") else { continue };
            let sender = names.iter().position(|known| known == name).expect("it is one of them");
            assert_ne!(sender, own);
            assert_eq!(said, format!("line {}", next[sender]));
            next[sender] += 1;
        }
    }
    server.signal(Signal::TERM);
    for (name, mut client) in names.iter().zip(clients) {
        client.line(&format!("* goodbye, {name}"));
        client.end().success();
    }
    server.end().success();
}

#[test]
fn a_burst_from_one_client_drops_nobody_who_reads() {
    let (_server, address) = server();
    let mut alice = client(address, "alice");
    let mut talker = Raw::connect(address, "talker");
    // Many more than a queue holds, and all of them in few reads.
    let burst: String = (0..3_000).map(|number| format!("{number}\n")).collect();
    talker.stream.write_all(burst.as_bytes()).unwrap();
    alice.line("* talker has joined");
    for number in 0..3_000 {
        assert_eq!(alice.next_line(), Some(format!("talker: {number}")));
    }
}

#[test]
fn a_file_can_be_the_input() {
    let (_server, address) = server();
    let mut alice = client(address, "alice");
    let path = std::env::temp_dir().join(format!("interloop-chat-{}", std::process::id()));
    fs::write(&path, "one\ntwo\nthree").unwrap();
    let file = fs::File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    let reader = Program::start(client_command(address, "reader").stdin(file));
    for line in ["reader: one", "reader: two", "reader: three", "* reader has left"] {
        alice.line(line);
    }
    reader.end().success();
}

/// The descriptor is shared with the shell, which would find its terminal non-blocking.
#[test]
fn a_terminal_can_be_the_input_and_stays_as_it_is() {
    let (_server, address) = server();
    let mut alice = client(address, "alice");
    let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&terminal).unwrap();
    unlockpt(&terminal).unwrap();
    let name = ptsname(&terminal, Vec::new()).unwrap();
    let end = fs::File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let shared = end.try_clone().unwrap();
    let typist = Program::start(client_command(address, "typist").stdin(end));
    let mut keyboard = fs::File::from(terminal);
    keyboard.write_all(b"typed\n").unwrap();
    alice.line("typist: typed");
    let flags = rustix::fs::fcntl_getfl(&shared).unwrap();
    assert!(!flags.contains(rustix::fs::OFlags::NONBLOCK), "{flags:?}");
    // Ctrl-D, at the beginning of a line.
    keyboard.write_all(&[4]).unwrap();
    alice.line("* typist has left");
    typist.end().success();
}

#[test]
fn a_server_that_is_killed_is_missed() {
    let (server, address) = server();
    let alice = client(address, "alice");
    server.signal(Signal::KILL);
    let error = alice.end().failure("chat");
    assert!(error.contains("connection"), "{error}");
}

#[test]
fn what_is_not_there_is_named() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = free.local_addr().unwrap().to_string();
    let error = fail("chat", &["server", "--listen", &address]);
    assert!(error.contains(&address) && error.contains("choose another port"), "{error}");
    drop(free);
    let error = fail("chat", &["client", "--connect", &address, "--name", "alice"]);
    assert!(error.contains(&address) && error.contains("chat server"), "{error}");
    let error = fail("chat", &["client", "--connect", "nobody.invalid:1", "--name", "alice"]);
    assert!(error.contains("nobody.invalid"), "{error}");
}

#[test]
fn a_wrong_command_line_is_refused() {
    for (arguments, named) in [
        (&[][..], "server or client"),
        (&["both"], "both"),
        (&["server", "--name", "x"], "--name"),
        (&["server", "extra"], "extra"),
        (&["server", "--listen", "7000"], "no port"),
        (&["client"], "--name"),
        (&["client", "--name", "a b"], "1 to 32"),
        (&["client", "--name", ""], "1 to 32"),
        (&["client", "--name"], "--name"),
        (&["client", "--sideways"], "--sideways"),
    ] {
        let error = refuse("chat", arguments);
        assert!(error.contains(named), "{arguments:?}: {error}");
    }
    let help = run("chat", &["--help"]).success();
    for option in ["--listen", "--connect", "--name", "--help"] {
        assert!(help.contains(option), "{option}");
    }
}
