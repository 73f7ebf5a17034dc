//! One sample is one child process: what one system leaves behind in its process, be it GLib's state,
//! Qt's or the allocator's, never touches another.

use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use rustix::process::{
    Resource, Rlimit, Signal, getrlimit, set_parent_process_death_signal, setrlimit,
};
use serde::{Deserialize, Serialize};

use super::work::{Figure, Sample, Work};
use crate::works;

/// The first word of the command line of a child.
pub(crate) const SAMPLE: &str = "sample";

/// Also when a build has put another file in its place during the run.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// Longer than any sample takes: a child that has not answered by then hangs.
const LIMIT: Duration = Duration::from_secs(30);

/// What came of a sample.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Outcome {
    Measured(Vec<Figure>),
    /// The system is not to be had here, for this reason.
    LeftOut(String),
    /// The system or its process failed.
    Failed(String),
}

/// What a child writes to its standard output.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Answer {
    Figures(Vec<Figure>),
    Unsupported(String),
}

/// `interloop-benches sample WORK CASE SYSTEM EFFORT`: the child's side.
pub(crate) fn sample(words: impl Iterator<Item = OsString>) -> ExitCode {
    die_with_the_parent();
    let words: Option<Vec<_>> = words.map(|word| word.into_string().ok()).collect();
    match words.as_deref() {
        Some([work, case, system, effort]) => match answer(work, case, system, effort) {
            Ok(answer) => {
                println!("{}", serde_json::to_string(&answer).expect("an answer is plain data"));
                ExitCode::SUCCESS
            }
            Err(error) => {
                eprintln!("{error}");
                ExitCode::from(1)
            }
        },
        _ => {
            eprintln!("sample: say WORK CASE SYSTEM EFFORT");
            ExitCode::from(2)
        }
    }
}

/// A run that is killed leaves no child behind that hangs. It is the thread of the parent that counts, which stays until it
/// has the answer.
fn die_with_the_parent() {
    let _on_kernels_that_can = set_parent_process_death_signal(Some(Signal::KILL));
}

fn answer(work: &str, case: &str, system: &str, effort: &str) -> io::Result<Answer> {
    let invalid = |message: String| io::Error::new(io::ErrorKind::InvalidInput, message);
    let found = works::ALL.iter().find(|known| known.name == work);
    let work = found.ok_or_else(|| invalid(format!("there is no work {work:?}")))?;
    let effort = effort.parse().map_err(invalid)?;
    let limit = open_the_limit()?;
    let sample = Sample { case: case.to_owned(), system: system.to_owned(), effort };
    match (work.sample)(&sample) {
        Ok(figures) => Ok(Answer::Figures(figures)),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            Ok(Answer::Unsupported(error.to_string()))
        }
        Err(error) if error.raw_os_error() == Some(libc::EMFILE) => Ok(Answer::Unsupported(
            format!("it takes more descriptors than a process may have here, {limit} (ulimit -Hn)"),
        )),
        Err(error) => Err(error),
    }
}

/// Some cases want many descriptors: as many as the process may have, it gets. Tells how many those are.
fn open_the_limit() -> io::Result<u64> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit })?;
    Ok(limit.maximum.unwrap_or(u64::MAX))
}

/// Takes these samples, all at once.
pub(super) fn sample_in_children(work: &Work, samples: &[Sample]) -> Vec<Outcome> {
    thread::scope(|scope| {
        let take = |sample| scope.spawn(move || sample_in_child(work, sample));
        let taken: Vec<_> = samples.iter().map(take).collect();
        taken.into_iter().map(|taken| taken.join().expect("it does not panic")).collect()
    })
}

/// Takes one sample: the parent's side.
fn sample_in_child(work: &Work, sample: &Sample) -> Outcome {
    let mut command = Command::new(THIS_PROGRAM);
    let effort = sample.effort.to_string();
    command.args([SAMPLE, work.name, &sample.case, &sample.system, &effort]);
    outcome_of(&mut command, LIMIT)
}

/// Runs the command, and reads what it answers. It is killed when it takes longer than `limit`.
fn outcome_of(command: &mut Command, limit: Duration) -> Outcome {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    match command.spawn() {
        Ok(child) => wait(child, limit).unwrap_or_else(|failure| Outcome::Failed(failure.0)),
        Err(error) => Outcome::Failed(format!("cannot start a child: {error}")),
    }
}

/// Why a child has no answer.
struct Failure(String);

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure(error.to_string())
    }
}

fn wait(mut child: Child, limit: Duration) -> Result<Outcome, Failure> {
    let said = read_aside(child.stdout.take().expect("it is piped"));
    let complained = read_aside(child.stderr.take().expect("it is piped"));
    let Ok(said) = said.recv_timeout(limit) else {
        child.kill()?;
        child.wait()?;
        return Ok(Outcome::Failed(format!("hung: no answer within {limit:?}")));
    };
    let status = child.wait()?;
    if !status.success() {
        let complained = complained.recv_timeout(limit).unwrap_or_default();
        return Ok(Outcome::Failed(failure(status, &complained)));
    }
    // What a library has printed stands before the answer.
    let answer = said.lines().last().unwrap_or_default();
    match serde_json::from_str(answer) {
        Ok(Answer::Figures(figures)) => Ok(Outcome::Measured(figures)),
        Ok(Answer::Unsupported(why)) => Ok(Outcome::LeftOut(why)),
        Err(error) => Ok(Outcome::Failed(format!("answered {answer:?}: {error}"))),
    }
}

/// Reads on a thread: a child that fills one pipe must not wait for the reader of the other.
fn read_aside(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut bytes = Vec::new();
        // What could be read is worth as much with an error as without.
        let _ = pipe.read_to_end(&mut bytes);
        // Nobody receives what a child that was killed has said.
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

fn failure(status: ExitStatus, complained: &str) -> String {
    let lines = complained.lines().map(str::trim).filter(|line| !line.is_empty());
    let said = lines.take(3).collect::<Vec<_>>().join(" ");
    if said.is_empty() { status.to_string() } else { format!("{status}: {said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, limit: Duration) -> Outcome {
        outcome_of(Command::new("sh").args(["-c", script]), limit)
    }

    const PATIENT: Duration = Duration::from_secs(60);

    #[test]
    fn the_last_line_is_the_answer() {
        let script = r#"echo a library says hello
            echo '{"figures":[{"metric":"p50","unit":"ns","value":1.5}]}'"#;
        let figures = vec![Figure::new("p50", "ns", 1.5)];
        assert_eq!(shell(script, PATIENT), Outcome::Measured(figures));
    }

    #[test]
    fn an_unsupported_system_says_why() {
        let script = r#"echo '{"unsupported":"it needs a display"}'"#;
        assert_eq!(shell(script, PATIENT), Outcome::LeftOut("it needs a display".to_owned()));
    }

    #[test]
    fn a_crash_is_told_with_the_signal_and_the_complaint() {
        let Outcome::Failed(why) = shell("echo out of luck >&2; kill -SEGV $$", PATIENT) else {
            panic!("it has failed");
        };
        assert!(why.contains("signal: 11") && why.ends_with(": out of luck"), "{why}");
        let Outcome::Failed(why) = shell("exit 3", PATIENT) else { panic!("it has failed") };
        assert_eq!(why, "exit status: 3");
    }

    #[test]
    fn a_child_that_hangs_is_killed() {
        // The shell becomes the process that sleeps, and is the one that is killed.
        let Outcome::Failed(why) = shell("exec sleep 600", Duration::from_millis(50)) else {
            panic!("it has failed");
        };
        assert_eq!(why, "hung: no answer within 50ms");
    }

    #[test]
    fn an_answer_that_is_none_is_quoted() {
        let Outcome::Failed(why) = shell("echo nothing", PATIENT) else {
            panic!("it has failed");
        };
        assert!(why.starts_with("answered \"nothing\": "), "{why}");
    }
}
