//! Swift's Foundation, which has `CFRunLoop`.

use std::env;
use std::path::Path;

/// Names the folder in which the system is that the library comes from.
const ROOT: &str = "INTERLOOP_SWIFT_ROOT";

/// Links the library of this system, or a copy that the environment names.
pub(crate) fn link() -> Result<(), String> {
    println!("cargo::rerun-if-env-changed={ROOT}");
    let root = env::var(ROOT).unwrap_or_default();
    let folder = format!("{root}/usr/libexec/swift/lib/swift/linux");
    if !Path::new(&folder).join("libFoundation.so").exists() {
        return Err(format!(
            "the feature `swift-corelibs` needs Swift's Foundation, {folder}/libFoundation.so. Debian has it \
             from trixie on, in libswiftlang; elsewhere, hosts/cocoa/swift/fetch gets a copy and prints the \
             folder of that, for {ROOT}"
        ));
    }
    println!("cargo::rustc-link-search=native={folder}");
    println!("cargo::rustc-link-lib=dylib=Foundation");
    let mut arguments = vec![format!("-rpath={folder}")];
    if !root.is_empty() {
        // The copy goes with a libc of its own, which may be later than that of this system. What Foundation
        // needs of that is asked for by the program itself: only there our path is looked at.
        let libc = format!("{root}/usr/lib/x86_64-linux-gnu");
        arguments.push(format!("-rpath={libc}"));
        arguments.push(format!("--dynamic-linker={libc}/ld-linux-x86-64.so.2"));
        arguments.push("--allow-shlib-undefined".to_owned());
        let libraries = format!("{libc}/libm.so.6,{libc}/libstdc++.so.6");
        arguments.push(format!("--push-state,--no-as-needed,{libraries},--pop-state"));
    }
    for argument in arguments {
        println!("cargo::rustc-link-arg=-Wl,{argument}");
    }
    Ok(())
}
