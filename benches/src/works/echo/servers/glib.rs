//! What people do in GLib's loop.

mod async_io;
mod fd_source;
mod hand_over;
mod tokio_channels;
mod tokio_lean;
mod tokio_local;

use std::io;
use std::os::fd::RawFd;

use glib::{ControlFlow, IOCondition, MainContext, MainLoop};
use glib_unix::unix_fd_add_local;

use super::Server;

pub(super) const SERVERS: &[Server] = &[
    ("glib", fd_source::serve),
    ("async-io/glib", async_io::serve),
    ("tokio-channels/glib", tokio_channels::serve),
    ("tokio-channels/glib/lean", tokio_lean::serve),
    ("tokio-local/glib", tokio_local::serve),
    ("hand-over/glib", hand_over::serve),
];

/// Runs the loop, which calls `readable` whenever the descriptor is, until that answers false.
fn run_on(fd: RawFd, mut readable: impl FnMut() -> io::Result<bool> + 'static) {
    let main_loop = MainLoop::new(None, false);
    let running = main_loop.clone();
    unix_fd_add_local(fd, IOCondition::IN, move |_, _| match readable() {
        Ok(true) => ControlFlow::Continue,
        // The client knows whether all has come back.
        Ok(false) | Err(_) => {
            running.quit();
            ControlFlow::Break
        }
    });
    main_loop.run();
}

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
