//! What a hand-over costs beside GLib's loop, which watches a descriptor that the thread writes to.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use glib::{ControlFlow, IOCondition, MainLoop};
use glib_unix::unix_fd_add_local;
use rustix::event::{EventfdFlags, eventfd};

use crate::works::echo::scene::Scene;
use crate::works::echo::servers::hand_over;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let main_loop = MainLoop::new(None, false);
    let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let rings = Arc::clone(&bell);
    hand_over::watch(&scene, move || {
        rustix::io::write(&rings, &1_u64.to_ne_bytes()).expect("the descriptor has room");
    })?;
    let running = main_loop.clone();
    unix_fd_add_local(bell.as_raw_fd(), IOCondition::IN, move |_, _| {
        let heard = rustix::io::read(&bell, &mut [0; 8]);
        match heard.map_err(io::Error::from).and_then(|_| scene.stream.pass_on()) {
            Ok(true) => ControlFlow::Continue,
            // The client knows whether all has come back.
            Ok(false) | Err(_) => {
                running.quit();
                ControlFlow::Break
            }
        }
    });
    main_loop.run();
    Ok(())
}
