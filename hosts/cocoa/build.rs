//! Finds the run loop: Apple's own, or on Linux one of the two that a feature asks for.

#[path = "build/gnustep.rs"]
mod gnustep;
#[path = "build/swift.rs"]
mod swift;

use std::env;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(run_loop, values(\"core_foundation\", \"gnustep\"))");
    println!("cargo::rerun-if-changed=build");
    let is = |name: &str, value: &str| env::var(name).is_ok_and(|found| found == value);
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    let is_linux = is("CARGO_CFG_TARGET_OS", "linux");
    let (swift, gnustep) = (is_linux && has("SWIFT_CORELIBS"), is_linux && has("GNUSTEP"));
    let found = match (swift, gnustep) {
        _ if is("CARGO_CFG_TARGET_VENDOR", "apple") => Ok(Some("core_foundation")),
        (true, true) => Err("a thread has one run loop: take the feature `swift-corelibs`, or \
                             `gnustep`, and not both"
            .to_owned()),
        (true, false) => swift::link().map(|()| Some("core_foundation")),
        (false, true) => gnustep::build().map(|()| Some("gnustep")),
        (false, false) => Ok(None),
    };
    match found {
        Ok(Some(run_loop)) => println!("cargo::rustc-cfg=run_loop=\"{run_loop}\""),
        Ok(None) => {}
        Err(message) => println!("cargo::error={message}"),
    }
}
