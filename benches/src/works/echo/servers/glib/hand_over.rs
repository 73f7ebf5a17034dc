//! What a hand-over costs beside GLib's loop, which watches a descriptor that the thread writes to.

use std::io;
use std::os::fd::AsRawFd;
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};

use super::run_on;
use crate::works::echo::scene::Scene;
use crate::works::echo::servers::hand_over;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let bell = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
    let rings = Arc::clone(&bell);
    let stream = hand_over::watch(scene, move || {
        rustix::io::write(&rings, &1_u64.to_ne_bytes()).expect("the descriptor has room");
    })?;
    run_on(bell.as_raw_fd(), move || {
        rustix::io::read(&bell, &mut [0; 8])?;
        stream.pass_on()
    });
    Ok(())
}
