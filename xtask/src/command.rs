//! Child processes: how they are made, shown, and run.

use std::env;
use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::process::{Command, ExitStatus, Output, Stdio};

use crate::log::Log;
use crate::tally::Tally;

/// A command made of words that have no spaces in them.
pub(crate) fn command(line: &str) -> Command {
    let mut words = line.split_whitespace();
    let mut command = Command::new(words.next().expect("a command has a name"));
    command.args(words).stdin(Stdio::null());
    command
}

/// The cargo that runs this program, whichever toolchain it is of.
pub(crate) fn cargo(line: &str) -> Command {
    let mut cargo = Command::new(cargo_program());
    // This variable would take precedence over the RUSTFLAGS that a step sets.
    cargo.env_remove("CARGO_ENCODED_RUSTFLAGS");
    cargo.args(line.split_whitespace()).stdin(Stdio::null());
    cargo
}

/// The same command, started by another one.
pub(crate) fn under(line: &str, inner: &Command) -> Command {
    let mut outer = command(line);
    outer.arg(inner.get_program()).args(inner.get_args());
    for (key, value) in inner.get_envs() {
        match value {
            Some(value) => outer.env(key, value),
            None => outer.env_remove(key),
        };
    }
    outer
}

fn cargo_program() -> OsString {
    env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// The user's own RUSTFLAGS and `flags`.
pub(crate) fn rust_flags(flags: &str) -> String {
    let own = env::var("RUSTFLAGS").unwrap_or_default();
    format!("{own} {flags}").trim().to_owned()
}

/// A folder for a build that would otherwise throw the ordinary one out of its cache.
pub(crate) fn target_folder(name: &str) -> PathBuf {
    PathBuf::from(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into())).join(name)
}

/// The command as one would type it.
pub(crate) fn show(command: &Command) -> String {
    let program = command.get_program();
    let program = if program == cargo_program() { OsStr::new("cargo") } else { program };
    let mut words = Vec::new();
    for (key, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={}", key.to_string_lossy(), quote(&value.to_string_lossy())));
        }
    }
    let line = [program].into_iter().chain(command.get_args());
    words.extend(line.map(|word| quote(&word.to_string_lossy())));
    words.join(" ")
}

fn quote(word: &str) -> String {
    if word.is_empty() || word.contains([' ', '\'', '"', '$']) {
        format!("'{}'", word.replace('\'', r"'\''"))
    } else {
        word.to_owned()
    }
}

/// Runs a command for its status. Its output is shown when it fails.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let (log, status) = logged(command)?;
    judge(command, &log, status)
}

/// Runs a command that runs tests, and counts what they say of themselves into `tally`.
///
/// A run without a single test fails, for then a name or a cfg is wrong.
pub(crate) fn run_tests(command: &mut Command, tally: &mut Tally) -> Result<(), String> {
    let (log, status) = logged(command)?;
    let mut counted = Tally::default();
    log.text().lines().for_each(|line| counted.read(line));
    tally.add(&counted);
    judge(command, &log, status)?;
    if counted.passed == 0 {
        return Err(format!("no test ran: {}", show(command)));
    }
    Ok(())
}

fn logged(command: &mut Command) -> Result<(Log, ExitStatus), String> {
    println!("   $ {}", show(command));
    Log::of(command).map_err(|error| describe(command, &error))
}

fn judge(command: &Command, log: &Log, status: ExitStatus) -> Result<(), String> {
    if status.success() {
        return Ok(());
    }
    Err(format!("{status}: {}; {}", show(command), log.excerpt()))
}

/// Runs a command for its output, which the user does not see. Its status is the caller's to judge.
pub(crate) fn capture(command: &mut Command) -> Result<Output, String> {
    command.output().map_err(|error| describe(command, &error))
}

/// The standard output of a command that must succeed.
pub(crate) fn read(command: &mut Command) -> Result<String, String> {
    let output = capture(command)?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let errors = String::from_utf8_lossy(&output.stderr);
        Err(format!("{}: {}\n{}", output.status, show(command), errors.trim_end()))
    }
}

/// Whether a command can be run here and succeeds.
pub(crate) fn succeeds(line: &str) -> bool {
    capture(&mut command(line)).is_ok_and(|output| output.status.success())
}

fn describe(command: &Command, error: &io::Error) -> String {
    format!("cannot run {}: {error}", show(command))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_shown_as_one_would_type_it() {
        let mut command = command("cc --help");
        command.env("CFLAGS", "-g -O").arg("it's");
        assert_eq!(show(&command), r"CFLAGS='-g -O' cc --help 'it'\''s'");
    }
}
