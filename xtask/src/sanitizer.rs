//! The tests under the compiler's sanitizers.

use std::env;
use std::process::{Command, ExitCode};

use crate::arguments::Arguments;
use crate::check::Check;
use crate::command::{self, cargo, rust_flags, target_folder};
use crate::{features, toolchain};

/// ThreadSanitizer follows only the atomics that are compiled with it, so the standard library is
/// rebuilt where its source can be had.
pub(crate) fn run_thread(_: &Arguments) -> ExitCode {
    run("thread", |flags, tests| {
        if toolchain::has_library_source() {
            tests.arg("-Zbuild-std");
        } else {
            println!(
                "   The source of the standard library is missing (`rustup component add rust-src`),\n   \
                 so it is not rebuilt: a report on data that a Mutex, a Once or a join of std guards\n   \
                 can be false."
            );
            flags.push_str(" -Cunsafe-allow-abi-mismatch=sanitizer");
            tests.env("TSAN_OPTIONS", suppressions("tsan.supp"));
        }
    })
}

pub(crate) fn run_address(_: &Arguments) -> ExitCode {
    run("address", |flags, tests| {
        flags.push_str(" -Cunsafe-allow-abi-mismatch=sanitizer");
        tests.env("LSAN_OPTIONS", suppressions("lsan.supp"));
    })
}

/// The option of a sanitizer that has it pass over what one of our files lists.
fn suppressions(file: &str) -> String {
    let root = env::current_dir().unwrap_or_default();
    format!("suppressions={}", root.join("xtask").join(file).display())
}

/// Doctests are left out: rustdoc would need the same flags, and they only repeat what tests do.
fn run(name: &str, configure: impl FnOnce(&mut String, &mut Command)) -> ExitCode {
    let mut check = Check::new(false);
    let _ = check.step(&format!("{name} sanitizer"), |tally| {
        // The tests of the examples start them.
        let mut tests = cargo("test --lib --tests --examples --no-fail-fast");
        tests.args(features::CORE_ARGUMENTS.split_whitespace());
        tests.args(features::everything()?.split_whitespace());
        // A named target keeps the flags away from build scripts and procedural macros.
        tests.args(["--target", &toolchain::host()?]);
        tests.arg("--target-dir").arg(target_folder(name));
        let mut flags = format!("-Zsanitizer={name}");
        configure(&mut flags, &mut tests);
        tests.env("RUSTC_BOOTSTRAP", "1").env("RUSTFLAGS", rust_flags(&flags));
        command::run_tests(&mut tests, tally)
    });
    check.finish()
}
