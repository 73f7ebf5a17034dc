//! In the place of what runs in GLib's main loop, where the feature is off.

use std::io;

use super::Load;
use crate::compare::Figure;
use crate::systems::left_out;

/// Leaves it out.
pub(super) fn worker(_load: Load) -> io::Result<Vec<Figure>> {
    Err(left_out("built without the feature `glib`"))
}

pub(super) use worker as embedded;
pub(super) use worker as tokio_channels;
pub(super) use worker as tokio_local;
pub(super) use worker as async_io;
