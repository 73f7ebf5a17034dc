//! A program that runs, and is killed at the latest when the test ends.

use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Pid, Signal};

/// How long anything may take, on a machine that is busy with much else.
pub const LIMIT: Duration = Duration::from_secs(120);

/// An example, which cargo builds next to the tests, before it runs them.
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let folder = test.ancestors().nth(2).expect("it is in the folder deps of a profile");
    let program = folder.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "{} is not there. `cargo test` builds it, `cargo test --test examples` does not: \
         run `cargo build --examples` with the same features first",
        program.display()
    );
    program
}

/// Runs an example to its end, with nothing to read.
pub fn run(name: &str, arguments: &[&str]) -> Ended {
    let program = Program::start(Command::new(example(name)).args(arguments).stdin(Stdio::null()));
    program.end()
}

/// Expects a refusal of the command line, and returns what it says.
pub fn refuse(name: &str, arguments: &[&str]) -> String {
    let ended = run(name, arguments);
    assert_eq!((ended.code, ended.output.as_str()), (Some(2), ""), "{arguments:?}: {ended:?}");
    let is_one_line = ended.errors.lines().count() == 1;
    let starts = ended.errors.starts_with(&format!("{name}: "));
    assert!(is_one_line && starts && ended.errors.contains("--help"), "{arguments:?}: {ended:?}");
    ended.errors
}

/// Expects a failure, and returns what it says in one line.
pub fn fail(name: &str, arguments: &[&str]) -> String {
    run(name, arguments).failure(name)
}

pub struct Program {
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
}

/// What a program has come to.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    /// What it printed that was not looked at before.
    pub output: String,
    pub errors: String,
}

impl Ended {
    pub fn success(self) -> String {
        assert_eq!(self.code, Some(0), "{self:?}");
        self.output
    }

    pub fn failure(self, name: &str) -> String {
        assert_eq!(self.code, Some(1), "{self:?}");
        let is_one_line = self.errors.lines().count() == 1;
        assert!(is_one_line && self.errors.starts_with(&format!("{name}: ")), "{self:?}");
        self.errors
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Ended {
        let text = |bytes| String::from_utf8(bytes).expect("examples write UTF-8");
        Ended {
            code: output.status.code(),
            output: text(output.stdout),
            errors: text(output.stderr),
        }
    }
}

impl Program {
    pub fn start(command: &mut Command) -> Program {
        let spawned = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let output = child.stdout.take().expect("it is a pipe");
        let mut errors = child.stderr.take().expect("it is a pipe");
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let _unheard = sender.send(line);
            }
        });
        let errors = thread::spawn(move || {
            let mut text = String::new();
            let _cut = errors.read_to_string(&mut text);
            text
        });
        Program { child, lines, errors: Some(errors) }
    }

    /// The next line that it prints, or None when it has ended.
    pub fn next_line(&mut self) -> Option<String> {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("it prints nothing"),
        }
    }

    /// Waits for a line that contains `wanted`.
    pub fn line(&mut self, wanted: &str) -> String {
        let mut seen = Vec::new();
        while let Some(line) = self.next_line() {
            if line.contains(wanted) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line with {wanted:?} before the end: {seen:?} {:?}", self.take_errors());
    }

    /// The address at the end of the line in which a server says where it is.
    pub fn address(&mut self) -> SocketAddr {
        let line = self.line("127.0.0.1:");
        let address = line.rsplit([' ', '/']).find(|part| part.contains(':'));
        address.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("{line}"))
    }

    /// Writes a line into its input.
    pub fn type_line(&mut self, line: &str) {
        let input = self.child.stdin.as_mut().expect("its input is a pipe");
        input.write_all(format!("{line}\n").as_bytes()).expect("it reads its input");
    }

    pub fn close_input(&mut self) {
        drop(self.child.stdin.take());
    }

    pub fn signal(&self, signal: Signal) {
        let pid = Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).expect("it is our child");
    }

    #[cfg(feature = "hyper")]
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let mut output = String::new();
        while let Some(line) = self.next_line() {
            output.push_str(&line);
            output.push('\n');
        }
        // Its output has ended, and so has it, or is about to.
        let status = self.child.wait().expect("it is our child");
        Ended { code: status.code(), output, errors: self.take_errors() }
    }

    fn take_errors(&mut self) -> String {
        let _gone = self.child.kill();
        self.errors.take().map_or_else(String::new, |errors| errors.join().unwrap_or_default())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}
