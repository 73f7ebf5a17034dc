//! The test kit for hosts: that it passes a sound adapter, and finds out each of many broken ones.

mod broken;
mod queue;

use std::env;
use std::process::ExitCode;

use interloop::testing::Kit;

use broken::{Broken, FAULT, FAULTS};
use queue::Queue;

fn main() -> ExitCode {
    if env::var_os(FAULT).is_some() {
        return Kit::new().host::<Broken>().run();
    }
    let kit = Kit::new().host::<Queue>();
    let add = |kit: Kit, fault: &'static broken::Fault| {
        let name = format!("finds_out::{}", fault.name.replace(' ', "_"));
        kit.case::<Broken>(&name, || fault.is_found_out())
    };
    FAULTS.iter().fold(kit, add).run()
}
