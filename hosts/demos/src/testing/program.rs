//! A program that runs, and is killed at the latest when the test ends.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};

use super::LIMIT;

/// The program of an example of the package whose test runs. `cargo test` builds it before.
///
/// # Panics
///
/// When it is not there: `cargo test --test NAME` does not build it.
pub fn example(name: &str) -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let folder = test.ancestors().nth(2).expect("it is in the folder deps of a profile");
    let program = folder.join("examples").join(name).with_extension(env::consts::EXE_EXTENSION);
    assert!(
        program.exists(),
        "{} is not there: run `cargo build --examples` with the same features first",
        program.display()
    );
    program
}

/// A program that runs.
pub struct Program {
    child: Child,
    lines: Receiver<String>,
    errors: Option<JoinHandle<String>>,
}

/// What a program has come to.
#[derive(Debug)]
pub struct Ended {
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// What it printed that was not looked at before.
    pub output: String,
    /// What it wrote to the standard error.
    pub errors: String,
}

impl Program {
    /// Starts it.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
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

    /// Waits for a line of its output that contains `wanted`.
    ///
    /// # Panics
    ///
    /// When it ends before, or prints nothing for a minute.
    pub fn line(&mut self, wanted: &str) -> String {
        let mut seen = Vec::new();
        while let Some(line) = self.next_line(wanted) {
            if line.contains(wanted) {
                return line;
            }
            seen.push(line);
        }
        panic!("no line with {wanted:?} before the end: {seen:?} {:?}", self.kill());
    }

    /// Waits for its end.
    ///
    /// # Panics
    ///
    /// When it prints nothing for a minute, and does not end.
    pub fn end(mut self) -> Ended {
        let mut output = String::new();
        while let Some(line) = self.next_line("its end") {
            output.push_str(&line);
            output.push('\n');
        }
        // Its output has ended, and so has it, or is about to.
        let status = self.child.wait().expect("it is our child");
        Ended { code: status.code(), output, errors: self.kill() }
    }

    /// None when its output has ended.
    fn next_line(&mut self, wanted: &str) -> Option<String> {
        match self.lines.recv_timeout(LIMIT) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => {
                panic!("it prints nothing, and {wanted:?} is missing: {:?}", self.kill())
            }
        }
    }

    /// What it wrote to the standard error, once it has been killed.
    fn kill(&mut self) -> String {
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
