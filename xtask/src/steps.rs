//! The whole check.

use std::env;
use std::process::{Command, ExitCode};

use crate::arguments::Arguments;
use crate::check::{Check, Stopped};
use crate::command::{self, cargo, rust_flags};
use crate::features::{self, CORE_ARGUMENTS};
use crate::{benches, hosts, json, loom, msrv, packages, toolchain};

/// The targets that cannot be run here, and that must compile all the same.
const CROSS_TARGETS: [&str; 5] = [
    "x86_64-apple-darwin",
    "aarch64-apple-darwin",
    "x86_64-unknown-freebsd",
    "x86_64-unknown-netbsd",
    "x86_64-pc-windows-gnu",
];

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let mut check = Check::new(arguments.has("--fail-fast"));
    // Whether they came to their end is in what the check sums up.
    let _ = steps(&mut check);
    check.finish()
}

fn steps(check: &mut Check) -> Result<(), Stopped> {
    let everything = match features::everything() {
        Ok(everything) => everything,
        Err(error) => return check.step("the features", |_| Err(error)),
    };
    prepare(check)?;
    lint(check, &everything)?;
    let backends = find_backends(check, &everything)?;
    combine_features(check, &backends)?;
    test(check, &everything, &backends)?;
    hosts::steps(check, hosts::Extent::Quick)?;
    libkqueue(check, &everything)?;
    loom::steps(check, loom::Extent::Bounded)?;
    benches::steps(check)?;
    cross_check(check, &everything)?;
    msrv::step_if_possible(check)
}

/// What the other steps need and this machine may lack.
fn prepare(check: &mut Check) -> Result<(), Stopped> {
    check.optional("system packages", packages::install);
    check.step("rustfmt", |_| toolchain::require_component("fmt", "rustfmt", "rustfmt"))?;
    check.step("clippy", |_| toolchain::require_component("clippy", "clippy", "rust-clippy"))
}

fn lint(check: &mut Check, everything: &str) -> Result<(), Stopped> {
    check.run("format", &mut cargo("fmt --all --check"))?;
    // What the others depend on is checked with every feature, below.
    let defaults = format!("clippy {CORE_ARGUMENTS} -p xtask --all-targets -- -D warnings");
    check.run("clippy, default features", &mut cargo(&defaults))?;
    check.run("clippy, every feature", &mut clippy(everything))?;
    let excluded = hosts::excluded();
    check.run("rustdoc", &mut rustdoc(&format!("--workspace {excluded} {everything}")))?;
    let private = format!("{CORE_ARGUMENTS} --document-private-items {everything}");
    check.run("rustdoc of what is private", &mut rustdoc(&private))
}

fn clippy(features: &str) -> Command {
    let excluded = hosts::excluded();
    let hosts = hosts::features();
    cargo(&format!("clippy --workspace {excluded} --all-targets {features}{hosts} -- -D warnings"))
}

fn rustdoc(what: &str) -> Command {
    let mut rustdoc = cargo(&format!("doc --no-deps {what}"));
    rustdoc.env("RUSTDOCFLAGS", "-D warnings");
    rustdoc
}

/// The names of the backends that open here, best first.
fn find_backends(check: &mut Check, everything: &str) -> Result<Vec<String>, Stopped> {
    let mut backends = Vec::new();
    check.step("which backends open here", |_| {
        let line = format!("run -q --example backends {everything} -- --names");
        let names = command::read(&mut cargo(&line))?;
        backends = names.lines().map(str::to_owned).collect();
        println!("   {}", backends.join(", "));
        if backends.is_empty() { Err("none".to_owned()) } else { Ok(()) }
    })?;
    Ok(backends)
}

fn combine_features(check: &mut Check, backends: &[String]) -> Result<(), Stopped> {
    if toolchain::has_subcommand("hack") {
        check.step("features in pairs", |_| features::check_pairs(backends))?;
    } else {
        check.skip("features in pairs", "cargo-hack is missing; `cargo install cargo-hack`");
        check.step("features one by one", |_| features::check_each(backends))?;
    }
    check.step("rustix upon libc", |_| features::check_upon_libc())?;
    check.step("no backend at all is refused", |_| features::check_none())
}

fn test(check: &mut Check, everything: &str, backends: &[String]) -> Result<(), Stopped> {
    // Those of the hosts are run one by one, each on what its toolkit needs.
    let others = format!("test --workspace {} --no-fail-fast", hosts::all_excluded());
    let mut others = cargo(&others);
    // The other backends come with every feature, below.
    others.envs(backends.first().map(|first| ("INTERLOOP_BACKEND", first)));
    check.run_tests("tests, default features", &mut others)?;
    for (at, backend) in backends.iter().enumerate() {
        let all = format!("test {CORE_ARGUMENTS} {everything} --no-fail-fast");
        let mut tests = if at == 0 { cargo(&all) } else { on_a_backend(everything) };
        tests.env("INTERLOOP_BACKEND", backend);
        check.run_tests(&format!("tests, {backend} as the default"), &mut tests)?;
    }
    for backend in backends {
        let features = if backend == "io_uring" { "--features io_uring" } else { "" };
        let mut tour = tour(features, "20000");
        check.run(&format!("tour, {backend}"), tour.args(["--backend", backend]))?;
    }
    check.step("tour, as JSON", |_| {
        let mut tour = tour("", "2000");
        json::check(&command::read(tour.arg("--json"))?)
    })
}

/// The tests that another backend may fail. The unit tests, the documentation's, and what the kit finds
/// wrong with broken adapters know of none.
fn on_a_backend(features: &str) -> Command {
    cargo(&format!(
        "test {CORE_ARGUMENTS} {features} --no-fail-fast --test * -- --skip broken::finds_out"
    ))
}

fn tour(features: &str, messages: &str) -> Command {
    cargo(&format!("run -q --release --example tour {features} -- --messages {messages}"))
}

/// kqueue, run for real on Linux.
fn libkqueue(check: &mut Check, everything: &str) -> Result<(), Stopped> {
    let Some(folder) = packages::libkqueue_folder() else {
        check.skip("libkqueue", "pkg-config does not find it");
        return Ok(());
    };
    // One that was built by hand is often where the loader does not look.
    let own = env::var("LD_LIBRARY_PATH").unwrap_or_default();
    let path = format!("{folder}:{own}");
    let path = path.trim_end_matches(':');
    let features = format!("{everything},interloop/libkqueue");
    check.run("clippy, libkqueue", &mut clippy(&features))?;
    // Tests start them, and do not build them.
    let examples = format!("build {CORE_ARGUMENTS} --examples {features}");
    check.run("the examples, libkqueue", &mut cargo(&examples))?;
    let mut tests = on_a_backend(&features);
    tests.env("LD_LIBRARY_PATH", path).env("INTERLOOP_BACKEND", "kqueue");
    check.run_tests("tests, libkqueue as the default", &mut tests)?;
    let others = "test -p interloop-ecosystem --features interloop/libkqueue --no-fail-fast";
    let mut others = cargo(others);
    others.env("LD_LIBRARY_PATH", path).env("INTERLOOP_BACKEND", "kqueue");
    check.run_tests("the crates of others, libkqueue", &mut others)?;
    let mut tour = tour("--features libkqueue", "20000");
    check.run("tour, libkqueue", tour.args(["--backend", "kqueue"]).env("LD_LIBRARY_PATH", path))
}

fn cross_check(check: &mut Check, everything: &str) -> Result<(), Stopped> {
    for target in CROSS_TARGETS {
        if let Err(why) = toolchain::require_target(target) {
            check.skip(&format!("check for {target}"), why);
            continue;
        }
        let mut cargo = cargo(&format!("check {CORE_ARGUMENTS} {everything} --lib"));
        cargo.args(["--target", target]).env("RUSTFLAGS", rust_flags("-D warnings"));
        check.run(&format!("check for {target}"), &mut cargo)?;
    }
    Ok(())
}
