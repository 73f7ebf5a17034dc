//! Builds the C++ shim.

#[path = "build/qt.rs"]
mod qt;

fn main() {
    qt::build("Core", &["src/shim.cpp"]);
}
