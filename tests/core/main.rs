//! The conformance of the reactor: every case on every backend that opens here, and on every drive.
//!
//! A case is a claim; its comment gives the number of the behaviour that it keeps. With
//! `INTERLOOP_BACKEND` set, only that backend is tried.

mod delivery;
mod nested;
mod remote;
mod shutdown;
mod sources;
mod tasks;
mod ticks;
mod timers;
mod waking;
mod world;

use interloop::{BackendKind, Reactor};
use libtest_mimic::{Arguments, Trial};
use world::{Drive, World};

/// A claim, and the code that tries it.
pub struct Case {
    name: &'static str,
    run: fn(&World),
}

/// Makes a case of each function, named as it is.
#[macro_export]
macro_rules! cases {
    ($($name:ident),* $(,)?) => {
        pub const CASES: &[$crate::Case] =
            &[$($crate::Case { name: stringify!($name), run: $name }),*];
    };
}

const SUITES: &[(&str, &[Case])] = &[
    ("waking", waking::CASES),
    ("ticks", ticks::CASES),
    ("delivery", delivery::CASES),
    ("sources", sources::CASES),
    ("nested", nested::CASES),
    ("timers", timers::CASES),
    ("tasks", tasks::CASES),
    ("remote", remote::CASES),
    ("shutdown", shutdown::CASES),
];

fn main() {
    let only = std::env::var("INTERLOOP_BACKEND").ok();
    let mut trials = Vec::new();
    for backend in BackendKind::ALL {
        if only.as_ref().is_some_and(|only| only != backend.name()) {
            continue;
        }
        if let Err(error) = Reactor::builder().backend(backend).build() {
            println!("{backend}: skipped: {error}");
            continue;
        }
        for drive in [Drive::Interleaved, Drive::Run] {
            for (suite, cases) in SUITES {
                for case in *cases {
                    let name = format!("{backend}::{}::{suite}::{}", drive.name(), case.name);
                    let run = case.run;
                    trials.push(Trial::test(name, move || {
                        run(&World { backend, drive });
                        Ok(())
                    }));
                }
            }
        }
    }
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
