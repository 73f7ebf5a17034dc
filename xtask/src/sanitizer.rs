//! The tests under the compiler's sanitizers.

use std::env;
use std::process::{Command, ExitCode};

use crate::arguments::Arguments;
use crate::check::Check;
use crate::command::{cargo, rust_flags, target_folder};
use crate::{features, toolchain};

pub(crate) fn run_thread(_: &Arguments) -> ExitCode {
    let root = env::current_dir().unwrap_or_default();
    let suppressions = root.join("xtask/tsan.supp");
    run("thread", "-Zsanitizer=thread -Cunsafe-allow-abi-mismatch=sanitizer", |tests| {
        let options = format!("suppressions={} exitcode=66", suppressions.display());
        tests.env("TSAN_OPTIONS", options);
    })
}

pub(crate) fn run_address(_: &Arguments) -> ExitCode {
    run("address", "-Zsanitizer=address -Cunsafe-allow-abi-mismatch=sanitizer", |_| {})
}

/// Doctests are left out: rustdoc would need the same flags, and they only repeat what tests do.
fn run(name: &str, flags: &str, configure: impl FnOnce(&mut Command)) -> ExitCode {
    let mut check = Check::new(false);
    let _ = check.step(&format!("{name} sanitizer"), |tally| {
        let mut tests = cargo("test --lib --tests");
        tests.args(features::CORE_ARGUMENTS.split_whitespace());
        tests.args(features::everything()?.split_whitespace());
        // A named target keeps the flags away from build scripts and procedural macros.
        tests.args(["--target", &toolchain::host()?]);
        tests.arg("--target-dir").arg(target_folder(name));
        tests.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", rust_flags(flags));
        configure(&mut tests);
        crate::command::run_tests(tests.arg("--no-fail-fast"), tally)
    });
    check.finish()
}
