//! The system packages that some steps want.

use crate::command::{capture, command, read, run, succeeds};

/// Something that the system has, or a step is skipped.
pub(crate) struct Package {
    /// What it is.
    pub(crate) name: &'static str,
    /// The names that Debian gives it.
    debian: &'static str,
    /// Succeeds where it is installed.
    probe: &'static str,
}

const fn package(name: &'static str, debian: &'static str, probe: &'static str) -> Package {
    Package { name, debian, probe }
}

/// The libraries of the toolkits, and what their tests need.
pub(crate) const PKG_CONFIG: Package = package("pkg-config", "pkg-config", "pkg-config --version");
pub(crate) const DISPLAY: Package =
    package("a display without a screen", "xvfb xauth xdotool", "xvfb-run --help");
pub(crate) const TYPIST: Package =
    package("a hand on that display", "xdotool", "xdotool --version");
pub(crate) const GTK: Package =
    package("GTK 4", "libgtk-4-dev libgl1-mesa-dri", "pkg-config --exists gtk4");
pub(crate) const QT6: Package =
    package("Qt 6", "qt6-base-dev g++", "pkg-config --exists Qt6Widgets");
pub(crate) const QT5: Package =
    package("Qt 5", "qtbase5-dev g++", "pkg-config --exists Qt5Widgets");
pub(crate) const WX: Package =
    package("wxWidgets 3.2", "libwxgtk3.2-dev g++", "wx-config --version");
pub(crate) const SDL2: Package = package("SDL 2", "libsdl2-dev", "pkg-config --exists sdl2");
/// SDL 3 itself is built from its source, over the libraries that SDL 2 comes with.
pub(crate) const SDL3: Package =
    package("what builds SDL 3", "cmake ninja-build g++", "cmake --version");
pub(crate) const XTEST: Package =
    package("XTEST, for SDL 3", "libxtst-dev", "pkg-config --exists xtst");
pub(crate) const UV: Package = package("libuv", "libuv1-dev", "pkg-config --exists libuv");
pub(crate) const TCL: Package = package("Tcl", "tcl-dev", "pkg-config --exists tcl");
pub(crate) const WINE: Package =
    package("wine with a compiler for it", "wine wine64 gcc-mingw-w64-x86-64", "wine --version");
pub(crate) const MINGW: Package =
    package("a compiler for Windows", "gcc-mingw-w64-x86-64", "x86_64-w64-mingw32-gcc --version");
pub(crate) const GNUSTEP: Package =
    package("GNUstep", "gobjc gnustep-make libgnustep-base-dev", "gnustep-config --objc-flags");

const ALL: &[Package] = &[
    PKG_CONFIG, DISPLAY, TYPIST, GTK, QT6, QT5, WX, SDL2, SDL3, XTEST, UV, TCL, WINE, MINGW,
    GNUSTEP,
];

impl Package {
    pub(crate) fn is_missing(&self) -> bool {
        !succeeds(self.probe)
    }

    /// How to get it.
    pub(crate) fn advice(&self) -> String {
        format!("{} is missing; on Debian: sudo apt-get install {}", self.name, self.debian)
    }
}

/// Installs what is missing where that is possible: on Debian, as root.
///
/// # Errors
///
/// What is missing still, and how to get it.
pub(crate) fn install() -> Result<(), String> {
    let missing = missing();
    if missing.is_empty() {
        println!("   nothing is missing");
        return Ok(());
    }
    if !can_install() {
        return Err(advice(&missing));
    }
    let names = missing.iter().map(|package| package.debian).collect::<Vec<_>>().join(" ");
    println!("   as root on Debian: installs the missing {names}");
    install_debian(&names)?;
    let missing = self::missing();
    if missing.is_empty() { Ok(()) } else { Err(advice(&missing)) }
}

fn advice(missing: &[&Package]) -> String {
    let each = missing.iter().map(|package| package.advice());
    each.collect::<Vec<_>>().join("; ")
}

fn missing() -> Vec<&'static Package> {
    ALL.iter().filter(|package| package.is_missing()).collect()
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
