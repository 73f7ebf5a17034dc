//! Where GLib cannot watch a descriptor of ours, there is no embedded drive.

use std::io;

use glib::{MainContext, Priority};
use interloop::Handle;

/// What cannot be made here.
pub(crate) enum Watch {}

impl Watch {
    /// # Errors
    ///
    /// Always `Unsupported`.
    pub(crate) fn new(_: &Handle, _: &MainContext, _: Priority) -> io::Result<Watch> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
