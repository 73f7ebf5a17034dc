//! The shim, `shim.m`, in Rust's terms: a descriptor that the run loop of this thread watches.
//!
//! `NSRunLoop` polls it by level, in loops that a callback has opened too. None of this may be called on another
//! thread. A callback that panics aborts the process: nothing may unwind through Objective-C.
#![allow(unsafe_code)]

use std::ffi::{CString, c_char, c_int, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr::NonNull;
use std::rc::Rc;

use crate::modes::Modes;

mod raw {
    use super::{c_char, c_int, c_void};

    unsafe extern "C" {
        pub(super) fn interloop_gnustep_watch(
            descriptor: c_int,
            modes: *const *const c_char,
            count: usize,
            readable: extern "C" fn(*mut c_void),
            data: *mut c_void,
        ) -> *mut c_void;
        pub(super) fn interloop_gnustep_unwatch(watcher: *mut c_void);
    }
}

/// What is told that a descriptor is readable.
pub(crate) trait Readable: AsFd + 'static {
    fn is_readable(&self);
}

/// A watch in the run loop of this thread, until this is dropped. It keeps what it watches.
pub(crate) struct Watcher<R> {
    raw: NonNull<c_void>,
    _watched: Rc<R>,
}

impl<R: Readable> Watcher<R> {
    /// # Errors
    ///
    /// `InvalidInput` when a mode's name has a zero in it.
    pub(crate) fn new(modes: &Modes, watched: Rc<R>) -> io::Result<Watcher<R>> {
        let names: Vec<CString> = modes.names().map(CString::new).collect::<Result<_, _>>()?;
        let names: Vec<*const c_char> = names.iter().map(|name| name.as_ptr()).collect();
        let data = Rc::as_ptr(&watched).cast_mut().cast::<c_void>();
        let fd = watched.as_fd().as_raw_fd();
        // SAFETY: the names live and end with zeros. The watched is kept until the watch ends, and with it
        // its descriptor.
        let raw = unsafe {
            raw::interloop_gnustep_watch(fd, names.as_ptr(), names.len(), readable::<R>, data)
        };
        let raw = NonNull::new(raw).ok_or(io::ErrorKind::OutOfMemory)?;
        Ok(Watcher { raw, _watched: watched })
    }
}

impl<R> Drop for Watcher<R> {
    fn drop(&mut self) {
        // SAFETY: it is there until now, and this is its thread: it cannot be sent to another.
        unsafe { raw::interloop_gnustep_unwatch(self.raw.as_ptr()) };
    }
}

extern "C" fn readable<R: Readable>(data: *mut c_void) {
    let watched = data.cast_const().cast::<R>();
    // SAFETY: it is that of a `Watcher` of this thread which is there yet, and may go meanwhile.
    let watched = unsafe {
        Rc::increment_strong_count(watched);
        Rc::from_raw(watched)
    };
    watched.is_readable();
}
