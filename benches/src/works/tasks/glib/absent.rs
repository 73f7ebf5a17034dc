//! In the place of GLib's executor, where the feature is off.

use std::io;

use super::Sample;
use crate::systems::left_out;

pub(super) fn sample(_sample: &Sample) -> io::Result<f64> {
    Err(left_out("built without the feature `glib`"))
}
