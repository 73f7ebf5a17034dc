//! In the place of winit's user events, where the feature is off.

use std::io;

use super::scene::Scene;
use crate::compare::Figure;
use crate::systems::left_out;

pub(super) fn host(_scene: Scene) -> io::Result<Vec<Figure>> {
    Err(left_out("built without the feature `winit`"))
}
