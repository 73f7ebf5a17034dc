//! Builds the C++ shim.

#[path = "build/wx.rs"]
mod wx;

fn main() {
    // Its event loop is in the base library, also for programs with windows.
    wx::build("base", &["src/shim.cpp"]);
}
