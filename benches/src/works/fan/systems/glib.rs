//! GLib's own sources, which are level-triggered.

use std::io;
use std::os::fd::AsRawFd;

use glib::{ControlFlow, IOCondition, MainLoop};
use glib_unix::unix_fd_add_local;

use super::{Kind, Scene};

pub(super) fn serve(_kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let main_loop = MainLoop::new(None, false);
    for bell in bells {
        let (tally, running) = (tally.clone(), main_loop.clone());
        unix_fd_add_local(bell.as_raw_fd(), IOCondition::IN, move |_, _| {
            bell.hear().expect("it has rung");
            if tally.count() {
                running.quit();
            }
            ControlFlow::Continue
        });
    }
    unix_fd_add_local(gate.as_raw_fd(), IOCondition::IN, move |_, _| {
        gate.hear().expect("it has rung");
        tally.hold();
        ControlFlow::Continue
    });
    main_loop.run();
    Ok(())
}
