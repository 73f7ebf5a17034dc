//! In the place of GLib's sources, where the feature is off.

use std::io;

use super::heap::Grown;
use crate::systems::left_out;

pub(super) fn sources(_count: usize) -> io::Result<Grown> {
    Err(left_out("built without the feature `glib`"))
}

pub(super) use self::sources as timers;
