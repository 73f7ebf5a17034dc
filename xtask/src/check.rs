//! A run of steps: each is announced, timed and remembered, and the end says how they went.

use std::fmt;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use crate::command;
use crate::tally::Tally;

/// The steps so far.
pub(crate) struct Check {
    fail_fast: bool,
    started: Instant,
    steps: Vec<Step>,
    skipped: Vec<(String, String)>,
    tally: Tally,
}

struct Step {
    name: String,
    time: Duration,
    failure: Option<String>,
}

/// A step failed, and no other is wanted after a failure.
pub(crate) struct Stopped;

impl Check {
    pub(crate) fn new(fail_fast: bool) -> Check {
        Check {
            fail_fast,
            started: Instant::now(),
            steps: Vec::new(),
            skipped: Vec::new(),
            tally: Tally::default(),
        }
    }

    /// A step that is one command.
    pub(crate) fn run(&mut self, name: &str, command: &mut Command) -> Result<(), Stopped> {
        self.step(name, |_| command::run(command))
    }

    /// A step that is one command, which runs tests.
    pub(crate) fn run_tests(&mut self, name: &str, command: &mut Command) -> Result<(), Stopped> {
        self.step(name, |tally| command::run_tests(command, tally))
    }

    /// A step of any kind. What it runs of tests is counted into the [`Tally`] that it is lent.
    pub(crate) fn step(
        &mut self,
        name: &str,
        work: impl FnOnce(&mut Tally) -> Result<(), String>,
    ) -> Result<(), Stopped> {
        let started = self.announce(name);
        let failure = work(&mut self.tally).err();
        let stop = self.fail_fast && failure.is_some();
        self.end(name, started, failure);
        if stop { Err(Stopped) } else { Ok(()) }
    }

    /// A step that the rest can do without: where it cannot be done, it counts as skipped.
    pub(crate) fn optional(&mut self, name: &str, work: impl FnOnce() -> Result<(), String>) {
        let started = self.announce(name);
        match work() {
            Ok(()) => self.end(name, started, None),
            Err(why) => self.skip(name, why),
        }
    }

    /// A step that cannot be done here.
    pub(crate) fn skip(&mut self, name: &str, why: impl Into<String>) {
        let why = why.into();
        println!("\n== skipped: {name}: {why}");
        self.skipped.push((name.to_owned(), why));
    }

    fn announce(&self, name: &str) -> Instant {
        println!("\n== {}: {name}", self.steps.len() + 1);
        Instant::now()
    }

    fn end(&mut self, name: &str, started: Instant, failure: Option<String>) {
        let step = Step { name: name.to_owned(), time: started.elapsed(), failure };
        println!("{step}");
        self.steps.push(step);
    }

    /// Sums up.
    pub(crate) fn finish(self) -> ExitCode {
        for step in &self.steps {
            if let Some(failure) = &step.failure {
                println!("\n== failed: {}\n{failure}", step.name);
            }
        }
        println!("\n== summary");
        for step in &self.steps {
            println!("{step}");
        }
        for (name, why) in &self.skipped {
            println!("   skipped         {name}: {why}");
        }
        let failed = self.steps.iter().filter(|step| step.failure.is_some()).count();
        println!();
        if !self.tally.is_empty() {
            println!("{}", self.tally);
        }
        println!(
            "{} steps passed, {failed} failed, {} skipped, in {}",
            self.steps.len() - failed,
            self.skipped.len(),
            Minutes(self.started.elapsed())
        );
        if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.time.as_secs_f64();
        match &self.failure {
            None => write!(f, "   ok     {seconds:>6.1} s  {}", self.name),
            Some(failure) => {
                let reason = failure.lines().next().unwrap_or_default();
                write!(f, "   FAILED {seconds:>6.1} s  {}: {reason}", self.name)
            }
        }
    }
}

struct Minutes(Duration);

impl fmt::Display for Minutes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0.as_secs();
        write!(f, "{} min {} s", seconds / 60, seconds % 60)
    }
}
