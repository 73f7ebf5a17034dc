//! Whether `rust-version` is true.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::arguments::{Arguments, refuse};
use crate::check::{Check, Stopped};
use crate::command::{self, target_folder};
use crate::hosts;

const MISSING: &str = "MSRV_CARGO names no cargo of the version in `rust-version`";

pub(crate) fn run(_: &Arguments) -> ExitCode {
    let Some(cargo) = env::var_os("MSRV_CARGO") else { return refuse(MISSING) };
    let mut check = Check::new(false);
    let _ = step(&mut check, &cargo);
    check.finish()
}

/// The step of the whole check.
pub(crate) fn step_if_possible(check: &mut Check) -> Result<(), Stopped> {
    match env::var_os("MSRV_CARGO") {
        Some(cargo) => step(check, &cargo),
        None => {
            check.skip("the oldest supported Rust", MISSING);
            Ok(())
        }
    }
}

fn step(check: &mut Check, cargo: &OsStr) -> Result<(), Stopped> {
    check.step("the oldest supported Rust", |_| {
        let promised = promised()?;
        let version = command::read(&mut old(cargo, "--version"))?;
        if !version.starts_with(&format!("cargo {promised}.")) {
            return Err(format!("MSRV_CARGO is {}, and not of {promised}", version.trim()));
        }
        // The toolkits' crates ask for newer ones.
        let mut packages = old(cargo, &format!("check --workspace {}", hosts::all_excluded()));
        // Its own compiler, and not the one that this environment would find.
        let compiler = Path::new(cargo).with_file_name("rustc");
        if compiler.exists() {
            packages.env("RUSTC", compiler);
        }
        command::run(packages.arg("--target-dir").arg(target_folder("msrv")))
    })
}

fn old(cargo: &OsStr, line: &str) -> Command {
    let mut command = Command::new(cargo);
    command.args(line.split_whitespace()).stdin(Stdio::null());
    command
}

fn promised() -> Result<String, String> {
    let manifest = fs::read_to_string("Cargo.toml").map_err(|error| error.to_string())?;
    let line = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
    let version = line.ok_or("Cargo.toml has no rust-version")?;
    Ok(version.trim_matches('"').to_owned())
}
