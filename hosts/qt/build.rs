//! Builds the C++ shim.

#[path = "build/qt.rs"]
mod qt;

fn main() {
    println!("cargo::rerun-if-changed=src/called.h");
    qt::build("Core", &["src/shim.cpp", "src/quitter.cpp"]);
}
