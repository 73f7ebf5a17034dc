//! Which trials there are, and how one runs in a process of its own.

use std::env;
use std::process::Command;

use interloop_backends::{BackendKind, open};
use libtest_mimic::{Arguments, Failed, Trial, run};

use crate::rig::Rig;
use crate::{
    arming, descriptor, edges, ends, identity, kinds, levels, scale, threads, time, waking,
};

/// A claim about one backend.
pub(crate) struct Claim {
    name: &'static str,
    check: fn(&Rig),
    /// It uses up descriptors, sets limits or signals, or closes descriptors behind somebody's
    /// back: nothing for a process with other trials in it.
    alone: bool,
}

/// A claim that is checked beside others.
pub(crate) const fn claim(name: &'static str, check: fn(&Rig)) -> Claim {
    Claim { name, check, alone: false }
}

/// A claim that is checked in a process of its own.
pub(crate) const fn claim_alone(name: &'static str, check: fn(&Rig)) -> Claim {
    Claim { name, check, alone: true }
}

/// Names the functions of a list as claims.
macro_rules! claims {
    ($kind:ident: $($name:ident),* $(,)?) => {
        [$($crate::suite::$kind(stringify!($name), $name)),*]
    };
}
pub(crate) use claims;

/// Set in the process that a trial has for itself.
const ALONE: &str = "INTERLOOP_CONFORMANCE_ALONE";

pub(crate) fn main() {
    let mut trials = Vec::new();
    for kind in chosen() {
        match open(kind) {
            Ok(_) => trials.extend(all_claims().map(|claim| trial(kind, claim))),
            Err(error) => eprintln!("{kind}: skipped: {error}"),
        }
    }
    run(&Arguments::from_args(), trials).exit();
}

fn chosen() -> Vec<BackendKind> {
    match env::var("INTERLOOP_BACKEND") {
        Ok(name) => vec![name.parse().unwrap_or_else(|error| panic!("INTERLOOP_BACKEND: {error}"))],
        Err(_) => BackendKind::ALL.to_vec(),
    }
}

fn all_claims() -> impl Iterator<Item = Claim> {
    let beside_others = arming::CLAIMS.into_iter().chain(ends::CLAIMS).chain(identity::CLAIMS);
    let beside_others =
        beside_others.chain(edges::CLAIMS).chain(kinds::CLAIMS).chain(threads::CLAIMS);
    let beside_others = beside_others.chain(levels::CLAIMS).chain(descriptor::CLAIMS);
    let beside_others = beside_others.chain(time::CLAIMS).chain(waking::CLAIMS);
    beside_others.chain(identity::CLAIMS_ALONE).chain(scale::CLAIMS_ALONE).chain(time::CLAIMS_ALONE)
}

fn trial(kind: BackendKind, claim: Claim) -> Trial {
    let name = format!("{kind}::{}", claim.name);
    Trial::test(name.clone(), move || {
        if claim.alone && env::var_os(ALONE).is_none() {
            return run_alone(&name);
        }
        (claim.check)(&Rig::open(kind));
        Ok(())
    })
}

fn run_alone(name: &str) -> Result<(), Failed> {
    let mut command = Command::new(env::current_exe()?);
    command.args([name, "--exact", "--test-threads=1"]).env(ALONE, "1");
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    if output.status.success() && text.contains("1 passed") {
        return Ok(());
    }
    let errors = String::from_utf8_lossy(&output.stderr);
    Err(format!("in its own process: {}\n{text}{errors}", output.status).into())
}
