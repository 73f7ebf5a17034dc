//! In the place of GLib's loop, where the feature `glib` is off.

use std::io;

use super::{Kind, Scene};
use crate::systems::left_out;

pub(super) fn serve(_kind: Kind, _scene: Scene) -> io::Result<()> {
    Err(left_out("built without the feature `glib`"))
}

pub(super) use self::{serve as async_io, serve as tokio_local};
