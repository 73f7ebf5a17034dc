//! GLib's own source for a descriptor.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use glib::{ControlFlow, IOCondition, MainLoop};
use glib_unix::unix_fd_add_local;

use crate::works::echo::scene::Scene;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let Scene { stream, silent } = scene;
    let main_loop = MainLoop::new(None, false);
    for silent in &silent {
        let never = |_, _| unreachable!("nobody writes to it");
        unix_fd_add_local(silent.as_raw_fd(), IOCondition::IN, never);
    }
    let running = main_loop.clone();
    let fd = stream.as_fd().as_raw_fd();
    unix_fd_add_local(fd, IOCondition::IN, move |_, _| match stream.pass_on() {
        Ok(true) => ControlFlow::Continue,
        // The client knows whether all has come back.
        Ok(false) | Err(_) => {
            running.quit();
            ControlFlow::Break
        }
    });
    main_loop.run();
    Ok(())
}
