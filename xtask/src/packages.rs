//! The system packages that some steps want.

use crate::command::{capture, command, read, run, succeeds};

/// A package of the system.
struct Package {
    /// The name that Debian gives it.
    debian: &'static str,
    /// Succeeds where it is installed.
    probe: &'static str,
    wanted_for: &'static str,
}

const PACKAGES: &[Package] = &[Package {
    debian: "pkg-config",
    probe: "pkg-config --version",
    wanted_for: "finding libkqueue",
}];

/// Installs what is missing where that is possible: on Debian, as root.
///
/// # Errors
///
/// What is missing still, what for, and how to get it.
pub(crate) fn install() -> Result<(), String> {
    let missing = missing();
    if missing.is_empty() {
        println!("   nothing is missing");
        return Ok(());
    }
    let names = missing.iter().map(|package| package.debian).collect::<Vec<_>>().join(" ");
    if !can_install() {
        let each = missing.iter().map(|p| format!("{} (for {})", p.debian, p.wanted_for));
        let each = each.collect::<Vec<_>>().join(", ");
        return Err(format!("missing: {each}; on Debian: sudo apt-get install {names}"));
    }
    println!("   as root on Debian: installs the missing {names}");
    install_debian(&names)
}

fn missing() -> Vec<&'static Package> {
    PACKAGES.iter().filter(|package| !succeeds(package.probe)).collect()
}

/// Whether this is Debian, and we are root.
pub(crate) fn can_install() -> bool {
    let root = capture(&mut command("id -u")).is_ok_and(|output| output.stdout == b"0\n");
    root && succeeds("apt-get --version")
}

/// Installs Debian packages by name.
pub(crate) fn install_debian(names: &str) -> Result<(), String> {
    // A fresh machine has no lists, and old lists name files that the mirrors have dropped.
    run(&mut command("apt-get update --quiet"))?;
    let line = format!("apt-get install --yes --quiet --no-install-recommends {names}");
    run(command(&line).env("DEBIAN_FRONTEND", "noninteractive"))
}

/// The folder of the libkqueue that the feature of that name links, if pkg-config finds one.
pub(crate) fn libkqueue_folder() -> Option<String> {
    let folder = read(&mut command("pkg-config --variable=libdir libkqueue")).ok()?;
    Some(folder.trim().to_owned())
}
