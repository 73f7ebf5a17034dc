//! In the place of Qt's notifiers and timers, where the feature is off.

use std::io;

use super::heap::Grown;
use crate::systems::left_out;

pub(super) fn sources(_count: usize) -> io::Result<Grown> {
    Err(left_out("built without the feature `qt`"))
}

pub(super) use self::sources as timers;
