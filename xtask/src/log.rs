//! The output of a command, kept in a file and shown when the command fails.

use std::fs::{self, File};
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::command::target_folder;

/// How many lines of a failure are shown.
const SHOWN: usize = 160;

/// Where a command's output goes.
pub(crate) struct Log {
    path: PathBuf,
}

impl Log {
    /// Runs `command` with its output into a new file.
    pub(crate) fn of(command: &mut Command) -> io::Result<(Log, ExitStatus)> {
        /// The number of the next file. Relaxed: only the numbers have to differ.
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let folder = target_folder("check");
        fs::create_dir_all(&folder)?;
        let path = folder.join(format!("{}.log", NEXT.fetch_add(1, Ordering::Relaxed)));
        let file = File::create(&path)?;
        // Tests panic on purpose, by the hundred: backtraces would bury what fails.
        let command = command.env("RUST_BACKTRACE", "0");
        let status = command.stdout(file.try_clone()?).stderr(file).status()?;
        Ok((Log { path }, status))
    }

    pub(crate) fn text(&self) -> String {
        fs::read(&self.path).map_or_else(
            |error| format!("cannot read {}: {error}", self.path.display()),
            |bytes| String::from_utf8_lossy(&bytes).into_owned(),
        )
    }

    /// Where it is, and what of it tells of a failure.
    pub(crate) fn excerpt(&self) -> String {
        format!("all of it is in {}\n{}", self.path.display(), excerpt(&self.text(), SHOWN))
    }
}

/// What comes after each `failures:` of the test programs and every error of the compiler; the last
/// lines where there is none of these.
fn excerpt(text: &str, shown: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut chosen = Vec::new();
    let mut inside = false;
    for line in &lines {
        if line.starts_with("failures:") || line.starts_with("error") {
            inside = true;
        }
        if inside {
            chosen.push(*line);
        }
        if line.starts_with("test result:") || (line.is_empty() && !text.contains("failures:")) {
            inside = false;
        }
    }
    if chosen.is_empty() {
        chosen = lines;
        chosen.drain(..chosen.len().saturating_sub(shown));
    }
    if chosen.len() > shown {
        let cut = chosen.len() - shown;
        chosen.splice(shown / 2..shown / 2 + cut, ["[...]"]);
    }
    chosen.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_failures_of_a_test_program_are_shown() {
        let text = "running\ntest a ... ok\n\nfailures:\n---- b ----\nwhy\n\nfailures:\n    b\n\n\
                    test result: FAILED. 1 passed; 1 failed\nmore\n";
        assert_eq!(
            excerpt(text, 100),
            "failures:\n---- b ----\nwhy\n\nfailures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed"
        );
    }

    #[test]
    fn the_errors_of_a_compiler_are_shown() {
        assert_eq!(
            excerpt("warming up\nerror[E1]: no\n --> x\n\nfine\n", 9),
            "error[E1]: no\n --> x\n"
        );
    }

    #[test]
    fn the_end_is_shown_where_nothing_stands_out() {
        assert_eq!(excerpt("a\nb\nc\n", 2), "b\nc");
    }
}
