//! Builds the shim over Qt, and says what to install for the toolkits that are asked for.

#[cfg(feature = "qt")]
#[path = "../hosts/qt/build/qt.rs"]
mod qt;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    #[cfg(feature = "qt")]
    qt::build("Core", &["src/systems/qt/shim.cpp"]);
}
