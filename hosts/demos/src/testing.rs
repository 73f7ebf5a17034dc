//! For the tests of the example applications: a program that runs, its window, and its
//! user.

mod documents;
mod keyboard;
mod program;
mod window;

pub use documents::{HALF, document, serve_documents};
pub use keyboard::{press, type_text};
pub use program::{Ended, Program, example};
pub use window::{close_window, has_display, wait_for_window};

/// How long anything may take, on a machine that is busy with much else.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
