//! Streams of tokio, whose runtime waits for them on a thread of its own, in tasks of GLib's loop.

use std::io;

use glib::MainContext;
use tokio::runtime::Builder;

use super::run_until;
use crate::works::echo::scene::Scene;
use crate::works::echo::servers::streams;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
    // tokio's types look for their runtime where they are made.
    let _entered = runtime.enter();
    let context = MainContext::default();
    for silent in scene.silent {
        context.spawn_local(streams::wait_tokio(silent)?);
    }
    run_until(streams::echo_tokio(scene.stream));
    Ok(())
}
