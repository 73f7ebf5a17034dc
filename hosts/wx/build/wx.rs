//! The wxWidgets to build against, by its own wx-config.

mod words;

use std::env;
use std::process::Command;

const VARIABLE: &str = "WX_CONFIG";

/// Builds files of C++ over libraries of wxWidgets, or says what is missing.
pub fn build(libraries: &str, files: &[&str]) {
    for file in files {
        println!("cargo::rerun-if-changed={file}");
    }
    println!("cargo::rerun-if-env-changed={VARIABLE}");
    // There, the interface is all that is wanted, and there is no wxWidgets.
    if env::var_os("DOCS_RS").is_some() {
        return;
    }
    let found = ask("--cxxflags", libraries).and_then(|flags| {
        let libs = words::lines(&ask("--libs", libraries)?)?;
        Ok((flags, libs))
    });
    match found {
        Ok((flags, libs)) => compile(files, &flags, &libs),
        Err(message) => println!("cargo::error={message}"),
    }
}

fn ask(option: &str, libraries: &str) -> Result<String, String> {
    let program = env::var(VARIABLE).unwrap_or_else(|_| "wx-config".to_owned());
    let missing = |reason: &str| {
        format!(
            "{} needs wxWidgets 3.2 with its headers: {reason}. On Debian, install libwxgtk3.2-dev; \
             for one from elsewhere, set {VARIABLE} to its wx-config.",
            env!("CARGO_PKG_NAME")
        )
    };
    let output = Command::new(&program).args(["--version=3.2", option, libraries]).output();
    match output {
        Ok(output) if output.status.success() => Ok(String::from_utf8_lossy(&output.stdout).into()),
        Ok(_) => Err(missing(&format!("`{program}` knows no version 3.2"))),
        Err(error) => Err(missing(&format!("`{program}` does not run ({error})"))),
    }
}

fn compile(files: &[&str], flags: &str, libs: &[String]) {
    let mut build = cc::Build::new();
    build.cpp(true).std("c++17").pic(true).files(files);
    for flag in flags.split_whitespace() {
        match flag.strip_prefix("-I") {
            // As system headers, so that their warnings are not ours.
            Some(folder) => build.flag("-isystem").flag(folder),
            None => build.flag(flag),
        };
    }
    build.compile(&format!("{}-shim", env!("CARGO_PKG_NAME")));
    // Behind the shim, which needs them.
    for line in libs {
        println!("{line}");
    }
}
