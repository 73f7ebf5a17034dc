//! In the place of what runs in GLib's loop, where the feature is off.

use std::io;

use super::Server;
use crate::systems::left_out;
use crate::works::echo::scene::Scene;

pub(super) const SERVERS: &[Server] = &[
    ("glib", leave_out),
    ("async-io/glib", leave_out),
    ("tokio-channels/glib", leave_out),
    ("tokio-channels/glib/lean", leave_out),
    ("tokio-local/glib", leave_out),
    ("hand-over/glib", leave_out),
];

fn leave_out(_scene: Scene) -> io::Result<()> {
    Err(left_out("built without the feature `glib`"))
}
