//! The example application, as its users run it.
#![cfg(run_loop = "core_foundation")]

use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(60);

/// The program, killed where a test fails.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ended = self.0.kill();
    }
}

#[test]
fn it_echoes_tells_the_count_and_says_goodbye() {
    let own = env::current_exe().expect("this program has a path");
    let folder = own.ancestors().nth(2).expect("cargo's folder");
    let path = folder.join("examples").join("cocoa_echo");
    assert!(path.exists(), "`cargo test` builds {path:?}, `cargo test --test example` does not");
    let mut command = Command::new(path);
    command.arg("127.0.0.1:0").stdout(Stdio::piped());
    let mut program = Program(command.spawn().expect("it can be run"));
    let output = program.0.stdout.take().expect("it is piped");
    let mut told = BufReader::new(output).lines().map(|line| line.expect("in UTF-8"));
    let first = told.next().expect("it tells where it listens");
    let address = first.strip_prefix("listening on ").expect("an address");
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(LIMIT)).expect("a limit for reading");
    let mut answers = BufReader::new(stream.try_clone().expect("it is a socket")).lines();
    for number in 0..100 {
        writeln!(&stream, "line {number}").expect("the server reads");
        let answer = answers.next().expect("an answer").expect("in UTF-8");
        assert_eq!(answer, format!("line {number}"));
    }
    let last = told.find(|line| line.ends_with("100 in all"));
    assert!(last.is_some(), "the run loop's own timer did not tell");
    writeln!(&stream, "quit").expect("the server reads");
    assert_eq!(answers.next().expect("a last line").expect("in UTF-8"), "goodbye");
    assert!(answers.next().is_none(), "something came after goodbye");
    assert!(program.0.wait().expect("it ends").success());
}
