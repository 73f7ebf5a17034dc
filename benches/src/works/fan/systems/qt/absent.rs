//! In the place of QSocketNotifiers, where the feature `qt` is off.

use std::io;

use super::{Kind, Scene};
use crate::systems::left_out;

pub(super) fn serve(_kind: Kind, _scene: Scene) -> io::Result<()> {
    Err(left_out("built without the feature `qt`"))
}
