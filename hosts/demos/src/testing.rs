//! For the tests of the example applications: a program that runs, and its window.

mod program;
mod window;

pub use program::{Ended, Program, example};
pub use window::{close_window, has_display};

/// How long anything may take, on a machine that is busy with much else.
const LIMIT: std::time::Duration = std::time::Duration::from_secs(60);
