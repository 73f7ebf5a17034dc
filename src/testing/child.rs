//! The process of a case, seen from the one that starts it.

use std::env;
use std::io::{self, BufRead, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use super::case::Word;

/// Names the case that a process is for.
pub(super) const CASE: &str = "INTERLOOP_TESTING_CASE";
/// After how many seconds a process is killed.
const LIMIT: &str = "INTERLOOP_TESTING_LIMIT";
const DEFAULT_LIMIT: Duration = Duration::from_secs(120);
/// How long to wait for the rest of the output of a process that has ended. A process that it started
/// may hold the pipes.
const REST: Duration = Duration::from_secs(5);

/// How a case came out.
pub(super) enum Outcome {
    Passed,
    /// The toolkit is not here.
    Absent(String),
    /// The host has no such thing as the case tries.
    Inapplicable(String),
    Failed(String),
}

/// What a case's process came to.
pub(super) struct Report {
    pub(super) outcome: Outcome,
    pub(super) notes: Vec<String>,
    /// What it wrote, where that was not shown at once.
    pub(super) output: String,
}

/// Runs a case in a process of its own: this program, started again.
///
/// # Errors
///
/// When the process cannot be started or waited for.
pub(super) fn run(name: &str, environment: &[(&str, &str)], nocapture: bool) -> io::Result<Report> {
    let mut command = Command::new(env::current_exe()?);
    command.env(CASE, name).envs(environment.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped());
    command.stderr(if nocapture { Stdio::inherit() } else { Stdio::piped() });
    let mut child = command.spawn()?;
    let out = child.stdout.take().map(|pipe| read(pipe, nocapture));
    let err = child.stderr.take().map(|pipe| read(pipe, false));
    let limit = limit();
    let status = wait(&mut child, limit)?;
    let out = out.map_or_else(String::new, rest);
    let mut report = Report { outcome: Outcome::Passed, notes: Vec::new(), output: String::new() };
    let mut last = None;
    for line in out.lines() {
        match Word::read(line) {
            Some(Word::Note(note)) => report.notes.push(note),
            Some(word) => last = Some(word),
            None if nocapture => {}
            None => {
                report.output.push_str(line);
                report.output.push('\n');
            }
        }
    }
    report.output.push_str(&err.map_or_else(String::new, rest));
    report.outcome = match (status, last) {
        (None, _) => Outcome::Failed(format!("it hung, and was killed after {limit:?}")),
        (Some(status), Some(Word::Passed)) if status.success() => Outcome::Passed,
        (Some(status), Some(Word::Absent(why))) if status.success() => Outcome::Absent(why),
        (Some(status), Some(Word::Inapplicable(why))) if status.success() => {
            Outcome::Inapplicable(why)
        }
        (Some(status), Some(Word::Passed)) => {
            Outcome::Failed(format!("it passed, but its process ended with {status}"))
        }
        (Some(status), _) if status.success() => {
            Outcome::Failed("its process ended before the case did, with exit code 0".to_owned())
        }
        (Some(status), _) => Outcome::Failed(format!("its process ended with {status}")),
    };
    Ok(report)
}

/// How long a case may last before its process is killed.
pub(super) fn limit() -> Duration {
    let told = env::var(LIMIT).ok().and_then(|seconds| seconds.parse().ok());
    told.map_or(DEFAULT_LIMIT, Duration::from_secs)
}

/// Waits for the end of a process; None when it had to be killed.
fn wait(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    let limit = Instant::now() + limit;
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= limit {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        // The standard library has no wait with a limit.
        thread::sleep(Duration::from_millis(2));
    }
}

/// Reads a pipe to its end, on a thread; `show` passes on at once what is not for the kit.
fn read(pipe: impl Read + Send + 'static, show: bool) -> Receiver<String> {
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while pipe.read_until(b'\n', &mut line).is_ok_and(|count| count > 0) {
            let text = String::from_utf8_lossy(&line).into_owned();
            if show && Word::read(&text).is_none() {
                print!("{text}");
            }
            if sender.send(text).is_err() {
                return;
            }
            line.clear();
        }
    });
    lines
}

fn rest(lines: Receiver<String>) -> String {
    let limit = Instant::now() + REST;
    let mut text = String::new();
    while let Ok(line) = lines.recv_timeout(limit.saturating_duration_since(Instant::now())) {
        text.push_str(&line);
    }
    text
}
