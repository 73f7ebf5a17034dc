//! Builds the C++ shim.

#[path = "../build/qt.rs"]
mod qt;

fn main() {
    qt::build("Widgets", &["src/shim.cpp", "src/chat_window.cpp", "src/slow_dispatcher.cpp"]);
}
