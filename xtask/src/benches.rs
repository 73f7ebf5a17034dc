//! The benches, and the program that compares.

use std::process::Command;

use crate::check::{Check, Stopped};
use crate::command::{cargo, under};
use crate::packages::{self as system, Package};

const PACKAGE: &str = "interloop-benches";

/// Its features, and what each needs in order to compile.
const TOOLKITS: [(&str, Option<&Package>); 4] = [
    ("glib", Some(&system::GTK)),
    ("qt", Some(&system::QT6)),
    ("sdl", Some(&system::SDL2)),
    ("winit", None),
];

/// The arguments that leave it out of a command with `--workspace` that is to compile here.
pub(crate) fn excluded() -> String {
    if missing().next().is_some() { all_excluded() } else { String::new() }
}

/// The arguments that leave it out.
pub(crate) fn all_excluded() -> String {
    format!(" --exclude {PACKAGE}")
}

fn missing() -> impl Iterator<Item = &'static Package> {
    TOOLKITS.iter().filter_map(|(_, package)| package.filter(|package| package.is_missing()))
}

/// Runs each bench once, and each work on each system.
pub(crate) fn steps(check: &mut Check) -> Result<(), Stopped> {
    for package in missing() {
        check.skip(&format!("the benches of {}", package.name), package.advice());
    }
    let there = TOOLKITS.iter().filter(|(_, needs)| !needs.is_some_and(Package::is_missing));
    let features: Vec<&str> = there.map(|(feature, _)| *feature).collect();
    let features = format!("-p {PACKAGE} --no-default-features --features {}", features.join(","));
    let mut tests = cargo(&format!("test {features} --all-targets --no-fail-fast"));
    check.run_tests("the benches, each once", &mut tests)?;
    // Figures of a debug build are worth nothing: what is tried is whether there are any.
    let compare = cargo(&format!("run {features} -- compare --quick --rounds 1"));
    check.run("the comparison, one round", &mut on_a_display(compare))
}

/// Some toolkits make no loop without one.
fn on_a_display(command: Command) -> Command {
    if system::DISPLAY.is_missing() { command } else { under("xvfb-run -a", &command) }
}
