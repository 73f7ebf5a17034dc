//! In the place of SDL's user events, where the feature is off.

use std::io;

use crate::systems::left_out;
use crate::works::echo::scene::Scene;

/// Leaves it out.
pub(super) fn serve(_scene: Scene) -> io::Result<()> {
    Err(left_out("built without the feature `sdl`"))
}
