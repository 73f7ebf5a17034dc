//! In the place of GLib's ways, where the feature is off.

use std::io;

use super::scene::Scene;
use crate::compare::Figure;
use crate::systems::left_out;

pub(super) fn invoke(_scene: Scene) -> io::Result<Vec<Figure>> {
    Err(left_out("built without the feature `glib`"))
}

pub(super) use self::{invoke as channel, invoke as idle_add};
