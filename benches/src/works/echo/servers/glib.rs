//! What people do in GLib's loop.

mod async_io;
mod fd_source;
mod hand_over;
mod tokio_channels;
mod tokio_lean;
mod tokio_local;

use std::io;

use glib::{MainContext, MainLoop};

use super::Server;

pub(super) const SERVERS: &[Server] = &[
    ("glib", fd_source::serve),
    ("async-io/glib", async_io::serve),
    ("tokio-channels/glib", tokio_channels::serve),
    ("tokio-channels/glib/lean", tokio_lean::serve),
    ("tokio-local/glib", tokio_local::serve),
    ("hand-over/glib", hand_over::serve),
];

/// Runs the loop until this future, which it polls, has come to its end.
fn run_until(done: impl Future<Output = io::Result<()>> + 'static) {
    let main_loop = MainLoop::new(None, false);
    let running = main_loop.clone();
    MainContext::default().spawn_local(async move {
        // The client knows whether all has come back.
        let _ = done.await;
        running.quit();
    });
    main_loop.run();
}
