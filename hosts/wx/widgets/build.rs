//! Builds the C++ shim.

#[path = "../build/wx.rs"]
mod wx;

fn main() {
    wx::build("core,base", &["src/shim.cpp", "src/downloads_window.cpp"]);
}
