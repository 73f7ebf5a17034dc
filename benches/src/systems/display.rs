//! Whether there is a display.

use std::env;
use std::io;

use super::left_out;

/// Leaves out what needs a display where there is none.
pub(crate) fn check() -> io::Result<()> {
    let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("DISPLAY") || is_set("WAYLAND_DISPLAY") {
        return Ok(());
    }
    Err(left_out("no display; run this with xvfb-run -a"))
}
