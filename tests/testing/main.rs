//! The test kit for hosts: that it passes a sound adapter, and finds out each of many broken ones.

#[path = "../../examples/your_own_host/adapter.rs"]
mod adapter;
mod broken;
mod faults;
mod own;
mod reports;
#[path = "../../examples/your_own_host/toolkit.rs"]
mod toolkit;

use std::env;
use std::process::ExitCode;

use interloop::testing::Kit;

use broken::Broken;
use faults::{FAULT, FAULTS, Fault};
use own::YourOwn;

fn main() -> ExitCode {
    if env::var_os(FAULT).is_some() {
        return Kit::new().host::<Broken>().run();
    }
    let add = |kit: Kit, fault: &'static Fault| {
        let name = format!("finds_out::{}", fault.name.replace(' ', "_"));
        kit.case::<Broken>(&name, || fault.is_found_out())
    };
    FAULTS
        .iter()
        .fold(Kit::new().host::<YourOwn<false>>().host::<YourOwn<true>>(), add)
        .case::<Broken>(
            "an_absent_toolkit_is_skipped_unless_it_is_required",
            reports::an_absent_toolkit_is_skipped_unless_it_is_required,
        )
        .case::<Broken>(
            "cases_are_listed_and_chosen_by_name",
            reports::cases_are_listed_and_chosen_by_name,
        )
        .run()
}
