//! Says what to install, before the linker says what it cannot find.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let on_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux");
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    // Only a warning: SDL may be where the linker finds it and pkg-config does not.
    if on_linux && has("SDL2") {
        expect("sdl2", "Debian: apt-get install libsdl2-dev");
    }
    if on_linux && has("SDL3") && !has("SDL3_FROM_SOURCE") {
        let source = "or build it with the feature `sdl3-from-source`";
        expect("sdl3", &format!("Debian, from trixie on: apt-get install libsdl3-dev; {source}"));
    }
}

fn expect(library: &str, remedy: &str) {
    let found = pkg_config::Config::new().cargo_metadata(false).probe(library);
    if found.is_err() {
        println!("cargo::warning=interloop-sdl: pkg-config does not find {library}. {remedy}");
    }
}
