//! The embedded drive: a `CFFileDescriptor`, which watches the reactor's own descriptor.
//!
//! It calls back once each time that it is enabled, as long as the descriptor is readable. It is enabled
//! before the turn and not after it, so that it goes on in loops that the turn's callbacks open. That costs
//! another turn, with nothing to do, after one that it was readable for.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use core_foundation_sys::base::{Boolean, CFOptionFlags};
use core_foundation_sys::filedescriptor::{
    __CFFileDescriptor, CFFileDescriptorContext, CFFileDescriptorCreate,
    CFFileDescriptorCreateRunLoopSource, CFFileDescriptorEnableCallBacks,
    CFFileDescriptorInvalidate, CFFileDescriptorRef, kCFFileDescriptorReadCallBack,
};
use core_foundation_sys::runloop::CFRunLoopAddSource;
use interloop::{Embedded, Handle};

use super::object::{self, Owned};
use super::pool;
use crate::modes::Modes;
use crate::slot::Slot;

/// A reactor that is embedded in the run loop of this thread, until this is dropped.
pub(crate) struct Watch {
    descriptor: Owned<__CFFileDescriptor>,
    /// What the descriptor calls back with. It has to outlive that.
    _watched: Rc<Watched>,
}

struct Watched {
    embedded: Embedded,
    slot: Arc<Slot>,
}

impl Watch {
    /// # Errors
    ///
    /// As [`Handle::embed`]; `InvalidInput` when a mode's name has a zero in it.
    pub(crate) fn add(modes: &Modes, slot: &Arc<Slot>, reactor: &Handle) -> io::Result<Watch> {
        let names = object::names(modes)?;
        let watched = Rc::new(Watched { embedded: reactor.embed()?, slot: Arc::clone(slot) });
        let context = CFFileDescriptorContext {
            version: 0,
            info: Rc::as_ptr(&watched).cast_mut().cast::<c_void>(),
            retain: None,
            release: None,
            copyDescription: None,
        };
        let fd = watched.embedded.as_fd().as_raw_fd();
        let keep_open: Boolean = 0;
        // SAFETY: the context is copied. The watched is kept until the descriptor is invalidated, and
        // with it its file descriptor.
        let descriptor = unsafe {
            let descriptor =
                CFFileDescriptorCreate(ptr::null(), fd, keep_open, is_readable, &context);
            Owned::created(descriptor).ok_or(io::ErrorKind::OutOfMemory)?
        };
        let watch = Watch { descriptor, _watched: watched };
        // SAFETY: all of them are kept; the run loop keeps the source, and with it the descriptor.
        unsafe {
            let source =
                CFFileDescriptorCreateRunLoopSource(ptr::null(), watch.descriptor.get(), 0);
            let source = Owned::created(source).ok_or(io::ErrorKind::OutOfMemory)?;
            for name in &names {
                CFRunLoopAddSource(object::current().get(), source.get(), name.get());
            }
            CFFileDescriptorEnableCallBacks(watch.descriptor.get(), kCFFileDescriptorReadCallBack);
        }
        Ok(watch)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // SAFETY: it is kept. Afterwards it calls back no more, and its source is out of the run loop.
        unsafe { CFFileDescriptorInvalidate(self.descriptor.get()) };
    }
}

extern "C" fn is_readable(
    descriptor: CFFileDescriptorRef,
    _kinds: CFOptionFlags,
    info: *mut c_void,
) {
    let watched = info.cast_const().cast::<Watched>();
    // SAFETY: it is that of a `Watch` of this thread which is there yet, and may go while the turn runs.
    let watched = unsafe {
        Rc::increment_strong_count(watched);
        Rc::from_raw(watched)
    };
    // SAFETY: the descriptor is kept while it calls back.
    unsafe { CFFileDescriptorEnableCallBacks(descriptor, kCFFileDescriptorReadCallBack) };
    pool::with_pool(|| {
        if !watched.embedded.turn() {
            // SAFETY: as above. It would be readable for ever.
            unsafe { CFFileDescriptorInvalidate(descriptor) };
        }
        watched.slot.turned();
    });
}
