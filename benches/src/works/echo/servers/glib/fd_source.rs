//! GLib's own source for a descriptor.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

use glib::IOCondition;
use glib_unix::unix_fd_add_local;

use super::run_on;
use crate::works::echo::scene::Scene;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let Scene { stream, silent } = scene;
    for silent in &silent {
        let never = |_, _| unreachable!("nobody writes to it");
        unix_fd_add_local(silent.as_raw_fd(), IOCondition::IN, never);
    }
    run_on(stream.as_fd().as_raw_fd(), move || stream.pass_on());
    Ok(())
}
