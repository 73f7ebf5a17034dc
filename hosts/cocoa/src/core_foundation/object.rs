//! Objects of Core Foundation, and the run loop of this thread.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io;
use std::ptr;

use core_foundation_sys::base::{CFRelease, CFRetain, CFTypeRef};
use core_foundation_sys::runloop::{
    __CFRunLoop, CFRunLoopGetCurrent, CFRunLoopStop, CFRunLoopWakeUp, kCFRunLoopCommonModes,
};
use core_foundation_sys::string::{__CFString, CFStringCreateWithCString, kCFStringEncodingUTF8};

use crate::modes::Modes;

/// The name that stands for all of the common modes.
pub(crate) const COMMON: &str = "kCFRunLoopCommonModes";

/// A reference of ours to an object, until this is dropped.
pub(crate) struct Owned<T>(*mut T);

// SAFETY: the objects that are kept here are run loops, their sources, and strings. All of them may be
// retained and released on any thread, and what this crate calls with them says itself where it may be called.
unsafe impl<T> Send for Owned<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for Owned<T> {}

impl<T> Owned<T> {
    /// Takes over the reference that a function with `Create` in its name has given. None where it has given
    /// none.
    ///
    /// # Safety
    ///
    /// It is an object of Core Foundation, or null, and the reference is nobody else's.
    pub(crate) unsafe fn created(object: *const T) -> Option<Owned<T>> {
        (!object.is_null()).then_some(Owned(object.cast_mut()))
    }

    pub(crate) fn get(&self) -> *mut T {
        self.0
    }
}

impl<T> Drop for Owned<T> {
    fn drop(&mut self) {
        // SAFETY: the reference is ours, and is given back once.
        unsafe { CFRelease(self.0 as CFTypeRef) };
    }
}

/// The run loop of this thread.
pub(crate) fn current() -> Owned<__CFRunLoop> {
    // SAFETY: every thread has one. The reference is the one that is made here.
    unsafe {
        let run_loop = CFRunLoopGetCurrent();
        CFRetain(run_loop as CFTypeRef);
        Owned(run_loop)
    }
}

/// Has the innermost run of this thread's loop end.
pub(crate) fn stop() {
    // SAFETY: every thread has a run loop.
    unsafe { CFRunLoopStop(CFRunLoopGetCurrent()) };
}

/// Has the loop look at its sources.
pub(crate) fn wake(run_loop: &Owned<__CFRunLoop>) {
    // SAFETY: any thread may wake a run loop, and this one is kept.
    unsafe { CFRunLoopWakeUp(run_loop.get()) };
}

/// The names of the modes, as strings of Core Foundation.
///
/// # Errors
///
/// `InvalidInput` when a name has a zero in it.
pub(crate) fn names(modes: &Modes) -> io::Result<Vec<Owned<__CFString>>> {
    let name = |name: &str| {
        if name == COMMON {
            // The run loop knows it by its address.
            // SAFETY: it is a string that lives as long as the process; the reference is made here.
            return Ok(Owned(unsafe {
                CFRetain(kCFRunLoopCommonModes as CFTypeRef);
                kCFRunLoopCommonModes.cast_mut()
            }));
        }
        let name = CString::new(name)?;
        // SAFETY: the name ends with a zero and is UTF-8; the string is a copy.
        let string = unsafe {
            let encoding = kCFStringEncodingUTF8;
            Owned::created(CFStringCreateWithCString(ptr::null(), name.as_ptr(), encoding))
        };
        string.ok_or_else(|| io::Error::from(io::ErrorKind::OutOfMemory))
    };
    modes.names().map(name).collect()
}
