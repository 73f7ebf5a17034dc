//! GLib's main loop.

use std::io;

use ::glib::MainLoop;
use interloop::Reactor;
use interloop_glib::Attach;

use super::left_out;
use super::ours::Drive;

/// Runs a reactor in the main loop until it has stopped.
pub(crate) fn host(reactor: &Reactor, drive: Drive) -> io::Result<()> {
    let drive = match drive {
        Drive::Worker => interloop_glib::Drive::Worker,
        Drive::Embed => interloop_glib::Drive::Embedded,
        Drive::Run => return Err(left_out("run() is a loop of its own")),
    };
    let main_loop = MainLoop::new(None, false);
    let _attached = Attach::new().drive(drive).main_loop(&main_loop).to(reactor)?;
    main_loop.run();
    Ok(())
}
