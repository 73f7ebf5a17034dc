//! GNUstep, and the shim in Objective-C that joins us to it.

use std::process::Command;

const SHIM: &str = "src/gnustep/shim.m";

/// Compiles the shim, and links GNUstep's base library.
pub(crate) fn build() -> Result<(), String> {
    println!("cargo::rerun-if-changed={SHIM}");
    let mut compiler = cc::Build::new();
    compiler.file(SHIM).warnings(false);
    // What cargo has no use for: the files of make.
    for flag in ask("--objc-flags")?.split_whitespace().filter(|flag| !flag.starts_with("-M")) {
        compiler.flag(flag);
    }
    compiler.try_compile("interloop_gnustep").map_err(|error| missing(&error.to_string()))?;
    for flag in ask("--base-libs")?.split_whitespace() {
        if let Some(folder) = flag.strip_prefix("-L") {
            println!("cargo::rustc-link-search=native={folder}");
        } else if let Some(library) = flag.strip_prefix("-l") {
            println!("cargo::rustc-link-lib=dylib={library}");
        }
    }
    Ok(())
}

/// What `gnustep-config` answers.
fn ask(what: &str) -> Result<String, String> {
    let output = Command::new("gnustep-config").arg(what).output();
    let output = output.map_err(|error| missing(&format!("gnustep-config: {error}")))?;
    if !output.status.success() {
        return Err(missing(&format!("gnustep-config {what}: {}", output.status)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn missing(why: &str) -> String {
    let why = why.lines().next().unwrap_or_default();
    format!(
        "the feature `gnustep` needs GNUstep and a compiler for Objective-C; on Debian: apt-get install gobjc \
         gnustep-make libgnustep-base-dev ({why})"
    )
}
