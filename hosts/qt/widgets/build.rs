//! Builds the C++ shim.

#[path = "../build/qt.rs"]
mod qt;

fn main() {
    let files = [
        "src/shim.cpp",
        "src/chat_window.cpp",
        "src/refusal.cpp",
        "src/slow_dispatcher.cpp",
        "src/witness.cpp",
    ];
    qt::build("Widgets", &files);
}
