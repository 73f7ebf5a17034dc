//! GLib's sources: of a descriptor, and of a timeout.

use std::cell::Cell;
use std::io;
use std::os::fd::AsRawFd;
use std::rc::Rc;

use glib::{ControlFlow, IOCondition, SourceId};

use super::callbacks::{LATER, pairs, take};
use super::heap::{Grown, grown};

pub(super) fn sources(count: usize) -> io::Result<Grown> {
    let (mut streams, _peers) = pairs(count)?;
    let ready = Rc::new(Cell::new(0_usize));
    grown(count, |_| {
        let ready = Rc::clone(&ready);
        let stream = take(&mut streams)?;
        let fd = stream.as_raw_fd();
        Ok(glib_unix::unix_fd_add_local(fd, IOCondition::IN, move |_, _| {
            let _stream = &stream;
            ready.set(ready.get() + 1);
            ControlFlow::Continue
        }))
    })
}

pub(super) fn timers(count: usize) -> io::Result<Grown> {
    let fired = Rc::new(Cell::new(0_usize));
    grown(count, |_| -> io::Result<SourceId> {
        let fired = Rc::clone(&fired);
        Ok(glib::timeout_add_local_once(LATER, move || fired.set(fired.get() + 1)))
    })
}
