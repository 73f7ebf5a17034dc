//! In the place of what runs in Qt's event loop, where the feature is off.

use std::io;

use super::Load;
use crate::compare::Figure;
use crate::systems::left_out;

/// Leaves it out.
pub(super) fn worker(_load: Load) -> io::Result<Vec<Figure>> {
    Err(left_out("built without the feature `qt`"))
}

pub(super) use worker as embedded;
