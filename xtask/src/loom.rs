//! The loom models.

use std::path::Path;
use std::process::{Command, ExitCode};

use crate::arguments::Arguments;
use crate::check::{Check, Stopped};
use crate::command::{cargo, rust_flags, target_folder};
use crate::features;

/// How far the models are explored.
#[derive(Clone, Copy)]
pub(crate) enum Extent {
    /// With at most three preemptions of a thread: seconds, and the verdicts have been the same.
    Bounded,
    /// Every interleaving.
    Exhaustive,
}

pub(crate) fn run(arguments: &Arguments) -> ExitCode {
    let exhaustive = arguments.has("--exhaustive");
    let extent = if exhaustive { Extent::Exhaustive } else { Extent::Bounded };
    let mut check = Check::new(false);
    let _ = steps(&mut check, extent);
    check.finish()
}

/// One step for each package that has models.
pub(crate) fn steps(check: &mut Check, extent: Extent) -> Result<(), Stopped> {
    let has_models = |manifest: &str| {
        let tests = Path::new(manifest).with_file_name("tests");
        tests.join("loom.rs").exists() || tests.join("loom/main.rs").exists()
    };
    let packages = features::CORE.into_iter().filter(|(_, manifest)| has_models(manifest));
    let packages = packages.collect::<Vec<_>>();
    if packages.is_empty() {
        return check.step("loom", |_| Err("no package has a test named loom".to_owned()));
    }
    for (package, _) in packages {
        check.run_tests(&format!("loom, {package}"), &mut models(package, extent))?;
    }
    Ok(())
}

fn models(package: &str, extent: Extent) -> Command {
    let mut cargo = cargo("test --release --test loom");
    cargo.args(["-p", package]).arg("--target-dir").arg(target_folder("loom"));
    cargo.env("RUSTFLAGS", rust_flags("--cfg interloop_loom"));
    match extent {
        Extent::Bounded => {
            if std::env::var_os("LOOM_MAX_PREEMPTIONS").is_none() {
                cargo.env("LOOM_MAX_PREEMPTIONS", "3");
            }
        }
        Extent::Exhaustive => {
            cargo.env_remove("LOOM_MAX_PREEMPTIONS");
        }
    }
    cargo
}
