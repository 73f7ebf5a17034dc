//! The Qt to build against, by pkg-config.

use std::env;

use pkg_config::{Config, Error, Library};

const VARIABLE: &str = "QT_VERSION_MAJOR";

/// Builds files of C++ over `module` of Qt, or says what is missing.
pub fn build(module: &str, files: &[&str]) {
    for file in files {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    // There, the interface is all that is wanted, and there is no Qt.
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    match find(module) {
        Ok(qt) => compile(files, &qt),
        Err(message) => println!("cargo::error={message}"),
    }
}

/// The Qt that is asked for, or else the newest that is there.
fn find(module: &str) -> Result<Library, String> {
    let qt_6 = || probe(&format!("Qt6{module}"));
    let qt_5 = || probe(&format!("Qt5{module}"));
    match env::var(VARIABLE).as_deref() {
        Ok("6") => qt_6().map_err(|error| missing("Qt 6", "qt6-base-dev", &error)),
        Ok("5") => qt_5().map_err(|error| missing("Qt 5", "qtbase5-dev", &error)),
        Ok(other) => Err(format!("{VARIABLE} is {other:?}: set it to 6 or to 5, or unset it")),
        Err(_) => qt_6().or_else(|error| {
            qt_5().map_err(|_| missing("Qt", "qt6-base-dev (or qtbase5-dev for Qt 5)", &error))
        }),
    }
}

fn probe(name: &str) -> Result<Library, Error> {
    // The shim comes before its libraries on the linker's line: they are printed when it is built.
    Config::new().cargo_metadata(false).probe(name)
}

fn missing(what: &str, package: &str, error: &Error) -> String {
    let reason = match error {
        Error::Failure { .. } | Error::ProbeFailure { .. } => "pkg-config does not find it",
        _ => "pkg-config itself is missing or fails; its package is pkg-config",
    };
    format!(
        "{} needs {what} with its headers: {reason}. On Debian, install {package}; for a Qt from \
         elsewhere, set PKG_CONFIG_PATH to its lib/pkgconfig.",
        env!("CARGO_PKG_NAME")
    )
}

fn compile(files: &[&str], qt: &Library) {
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").pic(true).files(files);
    // As system headers, so that their warnings are not ours.
    for folder in &qt.include_paths {
        build.flag("-isystem").flag(folder);
    }
    for (name, value) in &qt.defines {
        build.define(name, value.as_deref());
    }
    build.compile(&format!("{}-shim", env!("CARGO_PKG_NAME")));
    for folder in &qt.link_paths {
        println!("cargo::rustc-link-search=native={}", folder.display());
    }
    for library in &qt.libs {
        println!("cargo::rustc-link-lib={library}");
    }
}
