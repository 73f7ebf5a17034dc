//! The project's own commands. `cargo xtask --help` lists them.

mod arguments;
mod benches;
mod check;
mod command;
mod features;
mod hosts;
mod json;
mod log;
mod loom;
mod msrv;
mod packages;
mod sanitizer;
mod steps;
mod stress;
mod tally;
mod toolchain;

use std::path::Path;
use std::process::ExitCode;

use arguments::{Arguments, Subcommand};

const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "test",
        positionals: &[],
        flags: &[("--fail-fast", "stop at the first step that fails")],
        about: "The whole check: format, clippy, rustdoc, every feature combination that matters, all\n\
                tests with each backend as the default, the hosts, loom bounded, the examples, the benches, and\n\
                cross checks. What is skipped is named at the end.",
        run: steps::run,
    },
    Subcommand {
        name: "hosts",
        positionals: &[],
        flags: &[("--fail-fast", "stop at the first host that fails")],
        about: "The tests of the hosts alone: every toolkit that is installed here, or can be, on a display\n\
                of its own.",
        run: hosts::run,
    },
    Subcommand {
        name: "loom",
        positionals: &[],
        flags: &[("--exhaustive", "every interleaving; takes minutes for each model")],
        about: "The loom models, with at most three preemptions a thread unless told otherwise.",
        run: loom::run,
    },
    Subcommand {
        name: "tsan",
        positionals: &[],
        flags: &[],
        about: "The tests under ThreadSanitizer. The standard library is rebuilt with it where rust-src\n\
                is or can be installed; otherwise some reports on std's own locks are false.",
        run: sanitizer::run_thread,
    },
    Subcommand {
        name: "asan",
        positionals: &[],
        flags: &[],
        about: "The tests under AddressSanitizer and LeakSanitizer.",
        run: sanitizer::run_address,
    },
    Subcommand {
        name: "stress",
        positionals: &["NAME", "COUNT"],
        flags: &[],
        about: "Runs the tests whose name contains NAME, COUNT times over, and stops at the first\n\
                failure. INTERLOOP_BACKEND chooses the default backend.",
        run: stress::run,
    },
    Subcommand {
        name: "msrv",
        positionals: &[],
        flags: &[],
        about: "Checks the packages with the oldest supported Rust: the cargo that the environment\n\
                variable MSRV_CARGO names, which must be of the version `rust-version` in Cargo.toml.",
        run: msrv::run,
    },
];

fn main() -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask stands in the root");
    if let Err(error) = std::env::set_current_dir(root) {
        return arguments::refuse(&format!("cannot enter {}: {error}", root.display()));
    }
    let mut words = std::env::args().skip(1);
    let Some(name) = words.next() else {
        return arguments::refuse(&format!(
            "name a command\n\n{}",
            arguments::overview(SUBCOMMANDS)
        ));
    };
    if matches!(name.as_str(), "-h" | "--help" | "help") {
        println!("{}", arguments::overview(SUBCOMMANDS));
        return ExitCode::SUCCESS;
    }
    let Some(subcommand) = SUBCOMMANDS.iter().find(|subcommand| subcommand.name == name) else {
        let overview = arguments::overview(SUBCOMMANDS);
        return arguments::refuse(&format!("there is no command {name:?}\n\n{overview}"));
    };
    match Arguments::parse(subcommand, words) {
        Ok(Arguments { help: true, .. }) => {
            println!("{}", subcommand.help());
            ExitCode::SUCCESS
        }
        Ok(arguments) => (subcommand.run)(&arguments),
        Err(message) => arguments::refuse(&format!("{message}\n\n{}", subcommand.help())),
    }
}
