//! A hand on the keyboard: the program xdotool.

use std::process::Command;

use super::window::wait_for_window;

/// Presses a key, such as `Escape` or `ctrl+l`, in the window with this title, once it is there.
///
/// # Panics
///
/// When there is no such window within a minute, or no xdotool.
pub fn press(title: &str, key: &str) {
    act(title, &["key", key]);
}

/// Types a text in the window with this title, once it is there.
///
/// # Panics
///
/// When there is no such window within a minute, or no xdotool.
pub fn type_text(title: &str, text: &str) {
    act(title, &["type", "--delay", "1", text]);
}

fn act(title: &str, action: &[&str]) {
    // Nobody manages the windows here, so that nobody gives them the focus.
    let window = wait_for_window(title).to_string();
    let mut xdotool = Command::new("xdotool");
    xdotool.args(["windowfocus", "--sync", &window]).args(action);
    let done = xdotool.output().expect("xdotool is installed");
    assert!(done.status.success(), "{xdotool:?}: {}", String::from_utf8_lossy(&done.stderr));
}
