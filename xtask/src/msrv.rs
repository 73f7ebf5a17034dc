//! Whether `rust-version` is true.

use std::env;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use crate::arguments::{Arguments, refuse};
use crate::check::Check;
use crate::command::target_folder;

pub(crate) fn run(_: &Arguments) -> ExitCode {
    let Some(cargo) = env::var_os("MSRV_CARGO") else {
        return refuse("MSRV_CARGO names no cargo; set it to one of the version in `rust-version`");
    };
    let mut check = Check::new(false);
    let mut version = Command::new(&cargo);
    let _ = check.run("which version", version.arg("--version").stdin(Stdio::null()));
    let mut packages = Command::new(&cargo);
    packages.args(["check", "--workspace"]).arg("--target-dir").arg(target_folder("msrv"));
    packages.stdin(Stdio::null());
    // Its own compiler, and not the one that this environment would find.
    let compiler = Path::new(&cargo).with_file_name("rustc");
    if compiler.exists() {
        packages.env("RUSTC", compiler);
    }
    let _ = check.run("the packages", &mut packages);
    check.finish()
}
