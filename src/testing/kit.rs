//! The test program: which cases there are, which are run, and what is said of them.

use std::env;
use std::fmt;
use std::io;
use std::panic;
use std::process::{self, ExitCode};
use std::time::Instant;

use super::arguments::Arguments;
use super::case::{Case, Word, or_skip};
use super::child::{self, Outcome};
use super::host::Host;
use super::{calls, echo, leaks, nested, shutdown, start};

/// Makes a case that cannot run here fail.
const REQUIRE: &str = "INTERLOOP_REQUIRE_HOSTS";

/// Tries the five claims on one host: what a test program's `main` returns.
pub fn run<H: Host>() -> ExitCode {
    Kit::new().host::<H>().run()
}

/// A test program: the claims of one host or of several, and cases of the author's own.
#[derive(Default)]
#[must_use = "`run` runs the cases"]
pub struct Kit {
    cases: Vec<Case>,
    /// Runs of hosts without a reactor, which cases start to compare with.
    controls: Vec<Case>,
}

impl Kit {
    /// A program without cases.
    pub fn new() -> Kit {
        Kit::default()
    }

    /// Adds the claims of a host.
    pub fn host<H: Host>(mut self) -> Kit {
        let claims = [echo::cases::<H>(), nested::cases::<H>(), start::cases::<H>()];
        let more = [shutdown::cases::<H>(), calls::cases::<H>()];
        for (name, run) in claims.into_iter().chain(more).flatten() {
            let claim = move || {
                exit_with_any_panic();
                run();
                Ok(())
            };
            self = self.case::<H>(name, claim);
        }
        let control = || {
            leaks::control::<H>();
            Ok(())
        };
        self.controls.push(case::<H>(leaks::CONTROL, control));
        self
    }

    /// Adds a case of the author's own, for what only this toolkit can do wrong. It runs on the main
    /// thread of a process of its own, like the others; the host is not opened.
    ///
    /// The case passes when `run` answers `Ok`, and fails with a panic or an error; the error
    /// `Unsupported` skips it, as does [`inapplicable`](super::inapplicable) even where hosts are required.
    pub fn case<H: Host>(
        mut self,
        name: &str,
        run: impl FnOnce() -> io::Result<()> + 'static,
    ) -> Kit {
        self.cases.push(case::<H>(name, run));
        self
    }

    /// Runs the cases that the command line asks for, one after the other, each in a process of its own.
    pub fn run(self) -> ExitCode {
        if let Ok(name) = env::var(child::CASE) {
            return self.run_here(&name);
        }
        let arguments = Arguments::parse(env::args().skip(1));
        let (cases, others): (Vec<Case>, Vec<Case>) =
            self.cases.into_iter().partition(|case| arguments.takes(&case.name));
        if arguments.list {
            cases.iter().for_each(|case| println!("{}: test", case.name));
            return ExitCode::SUCCESS;
        }
        run_all(&cases, others.len(), arguments.nocapture)
    }

    /// Runs a case in this process, which was started for it.
    fn run_here(self, name: &str) -> ExitCode {
        let mut cases = self.cases.into_iter().chain(self.controls);
        let Some(case) = cases.find(|case| case.name == name) else {
            eprintln!("{}={name}: there is no such case", child::CASE);
            return ExitCode::FAILURE;
        };
        or_skip(Word::Absent, name, (case.run)());
        Word::Passed.say();
        ExitCode::SUCCESS
    }
}

impl fmt::Debug for Kit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.cases.iter().map(|case| &case.name)).finish()
    }
}

fn case<H: Host>(name: &str, run: impl FnOnce() -> io::Result<()> + 'static) -> Case {
    let name = format!("{}::{name}", H::NAME);
    Case { name, environment: H::ENVIRONMENT, run: Box::new(run) }
}

/// Makes every panic of the process the end of it: a toolkit might swallow one that comes out of a
/// callback, and one of another thread would go unheard.
fn exit_with_any_panic() {
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        report(info);
        process::exit(101);
    }));
}

fn run_all(cases: &[Case], filtered: usize, nocapture: bool) -> ExitCode {
    let began = Instant::now();
    let require = env::var_os(REQUIRE).is_some_and(|value| !value.is_empty() && value != "0");
    println!("\nrunning {} tests", cases.len());
    let (mut passed, mut skipped) = (0, 0);
    let mut failures = Vec::new();
    for case in cases {
        let name = &case.name;
        let (outcome, notes, output) = match child::run(name, case.environment, nocapture) {
            Ok(report) => (report.outcome, report.notes, report.output),
            Err(error) => {
                let message = format!("its process could not be run: {error}");
                (Outcome::Failed(message), Vec::new(), String::new())
            }
        };
        let outcome = match outcome {
            Outcome::Absent(why) if require => {
                Outcome::Failed(format!("it cannot run here, and {REQUIRE} is set: {why}"))
            }
            outcome => outcome,
        };
        match outcome {
            Outcome::Passed => {
                passed += 1;
                println!("test {name} ... ok");
            }
            Outcome::Absent(why) | Outcome::Inapplicable(why) => {
                skipped += 1;
                println!("test {name} ... ignored, {why}");
            }
            Outcome::Failed(why) => {
                println!("test {name} ... FAILED");
                failures.push((name, why, output));
            }
        }
        notes.iter().for_each(|note| println!("    {note}"));
    }
    if !failures.is_empty() {
        println!("\nfailures:");
        for (name, why, output) in &failures {
            println!("\n---- {name} ----\n{output}{why}");
        }
        println!("\nfailures:");
        failures.iter().for_each(|(name, ..)| println!("    {name}"));
    }
    let verdict = if failures.is_empty() { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {verdict}. {passed} passed; {} failed; {skipped} ignored; 0 measured; \
         {filtered} filtered out; finished in {:.2}s\n",
        failures.len(),
        began.elapsed().as_secs_f64()
    );
    if failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}
