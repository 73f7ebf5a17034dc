//! What the Rust toolchain has beside the compiler.

use std::path::Path;

use crate::command::{capture, cargo, command, read, run, succeeds};
use crate::packages;

/// Whether a subcommand of cargo is installed.
pub(crate) fn has_subcommand(name: &str) -> bool {
    capture(&mut cargo(&format!("{name} --version"))).is_ok_and(|output| output.status.success())
}

/// Sees to it that a component is there.
///
/// # Errors
///
/// How to get it.
pub(crate) fn require_component(
    subcommand: &str,
    rustup: &str,
    debian: &str,
) -> Result<(), String> {
    if has_subcommand(subcommand) {
        return Ok(());
    }
    if has_rustup() {
        run(&mut command(&format!("rustup component add {rustup}")))?;
    } else if packages::can_install() {
        packages::install_debian(debian)?;
    }
    if has_subcommand(subcommand) {
        Ok(())
    } else {
        Err(format!(
            "cargo {subcommand} is missing; get it by `rustup component add {rustup}`, \
             or on Debian by `apt-get install {debian}`"
        ))
    }
}

/// Sees to it that the standard library of a target is there.
///
/// # Errors
///
/// Why it is not.
pub(crate) fn require_target(target: &str) -> Result<(), String> {
    if has_target(target) {
        return Ok(());
    }
    if !has_rustup() {
        return Err("the toolchain has no standard library for it, and there is no rustup".into());
    }
    println!("\n   $ rustup target add {target}");
    let output = capture(&mut command(&format!("rustup target add {target}")))?;
    if has_target(target) {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    let error = errors.lines().find(|line| line.starts_with("error:")).unwrap_or("no reason given");
    Err(format!("rustup target add: {error}"))
}

fn has_target(target: &str) -> bool {
    let folder = read(&mut command(&format!("rustc --print target-libdir --target {target}")));
    // rustup makes the folder of a target when it fails to install it, too.
    folder.is_ok_and(|folder| {
        let files = Path::new(folder.trim()).read_dir();
        files.is_ok_and(|mut files| files.next().is_some())
    })
}

/// Whether the source of the standard library is there, or rustup can get it.
pub(crate) fn has_library_source() -> bool {
    let root = read(&mut command("rustc --print sysroot")).unwrap_or_default();
    let source = Path::new(root.trim()).join("lib/rustlib/src/rust/library/Cargo.lock");
    source.exists() || (succeeds("rustup component add rust-src") && source.exists())
}

fn has_rustup() -> bool {
    succeeds("rustup --version")
}

/// The target that the compiler builds for when none is named.
pub(crate) fn host() -> Result<String, String> {
    let version = read(&mut command("rustc -vV"))?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).ok_or_else(|| format!("rustc -vV names no host:\n{version}"))
}
