//! Streams of `async-io`, whose own thread waits for them, in tasks of GLib's loop.

use std::io;

use glib::MainContext;

use super::run_until;
use crate::works::echo::scene::Scene;
use crate::works::echo::servers::streams;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let context = MainContext::default();
    for silent in scene.silent {
        context.spawn_local(streams::wait_async_io(silent)?);
    }
    run_until(streams::echo_async_io(scene.stream));
    Ok(())
}
