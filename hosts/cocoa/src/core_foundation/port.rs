//! The embedded drive: a source of version 1, whose port on Linux is the reactor's own descriptor.
//!
//! The run loop has it in an epoll set, and watches for edges: it sees that the descriptor becomes readable,
//! and not that it still is. So a turn that has left something in there is followed by another, by way of a
//! source of version 0.
#![allow(unsafe_code)]

use std::cell::OnceCell;
use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use core_foundation_sys::runloop::{
    __CFRunLoop, __CFRunLoopSource, CFRunLoopAddSource, CFRunLoopSourceContext,
    CFRunLoopSourceContext1, CFRunLoopSourceCreate, CFRunLoopSourceInvalidate,
    CFRunLoopSourceSignal,
};
use interloop::{Embedded, Handle};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::object::{self, Owned};
use crate::modes::Modes;
use crate::slot::Slot;

/// A reactor that is embedded in the run loop of this thread, until this is dropped.
pub(crate) struct Watch {
    watched: Rc<Watched>,
    port: Owned<__CFRunLoopSource>,
}

/// What the sources call back with. It outlives them.
struct Watched {
    embedded: Embedded,
    slot: Arc<Slot>,
    run_loop: Owned<__CFRunLoop>,
    /// Signalled for another turn. There once the reactor is in the run loop.
    again: OnceCell<Owned<__CFRunLoopSource>>,
}

impl Watch {
    /// # Errors
    ///
    /// As [`Handle::embed`]; `InvalidInput` when a mode's name has a zero in it.
    pub(crate) fn add(modes: &Modes, slot: &Arc<Slot>, reactor: &Handle) -> io::Result<Watch> {
        let names = object::names(modes)?;
        let watched = Rc::new(Watched {
            embedded: reactor.embed()?,
            slot: Arc::clone(slot),
            run_loop: object::current(),
            again: OnceCell::new(),
        });
        let info = Rc::as_ptr(&watched).cast_mut().cast::<c_void>();
        let mut port = CFRunLoopSourceContext1 {
            version: 1,
            info,
            retain: None,
            release: None,
            copyDescription: None,
            equal: None,
            hash: None,
            getPort: port,
            perform: is_readable,
        };
        let mut again = CFRunLoopSourceContext {
            version: 0,
            info,
            retain: None,
            release: None,
            copyDescription: None,
            equal: None,
            hash: None,
            schedule: None,
            cancel: None,
            perform: turn_again,
        };
        let create = |context: *mut CFRunLoopSourceContext| {
            // SAFETY: the version tells which context it is. The watched outlives the source.
            let source = unsafe { Owned::created(CFRunLoopSourceCreate(ptr::null(), 0, context)) };
            source.ok_or(io::ErrorKind::OutOfMemory)
        };
        let (port, again) = (create((&raw mut port).cast())?, create(&raw mut again)?);
        for source in [&port, &again] {
            for name in &names {
                // SAFETY: all three are kept.
                unsafe { CFRunLoopAddSource(watched.run_loop.get(), source.get(), name.get()) };
            }
        }
        let _first = watched.again.set(again);
        Ok(Watch { watched, port })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let again = self.watched.again.get();
        for source in again.into_iter().chain([&self.port]) {
            // SAFETY: it is kept. Afterwards it is in no run loop.
            unsafe { CFRunLoopSourceInvalidate(source.get()) };
        }
    }
}

impl Watched {
    fn turn(&self) {
        if self.embedded.turn() && self.is_readable() {
            if let Some(again) = self.again.get() {
                // SAFETY: the source is kept.
                unsafe { CFRunLoopSourceSignal(again.get()) };
                object::wake(&self.run_loop);
            }
        }
        self.slot.turned();
    }

    fn is_readable(&self) -> bool {
        let mut polled = [PollFd::new(&self.embedded, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec::default())).is_ok_and(|count| count > 0)
    }
}

/// What a source calls back with.
fn watched(info: *const c_void) -> Rc<Watched> {
    let watched = info.cast::<Watched>();
    // SAFETY: it is that of a `Watch` of this thread which is there yet, and may go while it is used.
    unsafe {
        Rc::increment_strong_count(watched);
        Rc::from_raw(watched)
    }
}

extern "C" fn port(info: *mut c_void) -> *mut c_void {
    let fd = watched(info).embedded.as_fd().as_raw_fd();
    ptr::without_provenance_mut(fd as usize)
}

extern "C" fn is_readable(info: *mut c_void) -> *mut c_void {
    watched(info).turn();
    ptr::null_mut()
}

extern "C" fn turn_again(info: *const c_void) {
    watched(info).turn();
}
