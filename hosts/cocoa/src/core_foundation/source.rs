//! A source of the run loop that any thread may signal.
//!
//! Facts about it, and what they mean here:
//!
//! - It is of version 0: signalling it marks it, once however often, and the run loop has to be woken besides.
//!   Both may be done on any thread, and allocate nothing.
//! - The run loop performs it outside of its locks, with the mark taken away before. So it is performed again in a
//!   loop that a callback opens, in each mode that has it.
//! - When it is invalidated, or taken out of a mode, by whomever, `cancel` is called. A tick that waits
//!   there is a failed post, which the reactor repeats.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::ptr;
use std::sync::Arc;

use core_foundation_sys::runloop::{
    __CFRunLoop, __CFRunLoopSource, CFRunLoopAddSource, CFRunLoopRef, CFRunLoopSourceContext,
    CFRunLoopSourceCreate, CFRunLoopSourceInvalidate, CFRunLoopSourceIsValid,
    CFRunLoopSourceSignal,
};
use core_foundation_sys::string::CFStringRef;

use super::object::{self, Owned};
use super::pool;
use crate::modes::Modes;
use crate::slot::Slot;

/// A source in the run loop of the thread that added it. It is taken out when this is dropped, on
/// whichever thread.
pub(crate) struct Source {
    source: Owned<__CFRunLoopSource>,
    run_loop: Owned<__CFRunLoop>,
}

impl Source {
    /// # Errors
    ///
    /// `InvalidInput` when a mode's name has a zero in it.
    pub(crate) fn add(modes: &Modes, slot: &Arc<Slot>) -> io::Result<Source> {
        let names = object::names(modes)?;
        let info: *const Slot = &raw const **slot;
        let mut context = CFRunLoopSourceContext {
            version: 0,
            info: info.cast_mut().cast::<c_void>(),
            retain: Some(retain),
            release: Some(release),
            copyDescription: None,
            equal: None,
            hash: None,
            schedule: None,
            cancel: Some(cancel),
            perform,
        };
        // SAFETY: the context is copied; its functions take a `Slot` that lives in an `Arc`, of which the
        // source retains a count.
        let source = unsafe { Owned::created(CFRunLoopSourceCreate(ptr::null(), 0, &mut context)) };
        let source = source.ok_or(io::ErrorKind::OutOfMemory)?;
        let run_loop = object::current();
        for name in &names {
            // SAFETY: all three are kept.
            unsafe { CFRunLoopAddSource(run_loop.get(), source.get(), name.get()) };
        }
        Ok(Source { source, run_loop })
    }

    /// Has the slot's tick run. On any thread. False when the source is not valid any more.
    pub(crate) fn signal(&self) -> bool {
        // SAFETY: any thread may call these two, and the source is kept.
        unsafe {
            if CFRunLoopSourceIsValid(self.source.get()) == 0 {
                return false;
            }
            CFRunLoopSourceSignal(self.source.get());
        }
        object::wake(&self.run_loop);
        true
    }

    /// Takes the source out of the run loop, if it is in there. On any thread.
    pub(crate) fn remove(&self) {
        // SAFETY: any thread may invalidate a source, again and again, and this one is kept.
        unsafe { CFRunLoopSourceInvalidate(self.source.get()) };
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.remove();
    }
}

extern "C" fn retain(info: *const c_void) -> *const c_void {
    // SAFETY: it is the slot of `Source::add`, and whoever retains it has a count of it already.
    unsafe { Arc::increment_strong_count(info.cast::<Slot>()) };
    info
}

extern "C" fn release(info: *const c_void) {
    // SAFETY: it is the slot of `Source::add`, and the count is that of a `retain`.
    unsafe { Arc::decrement_strong_count(info.cast::<Slot>()) };
}

extern "C" fn cancel(info: *const c_void, _run_loop: CFRunLoopRef, _mode: CFStringRef) {
    // SAFETY: it is the slot of `Source::add`, of which the source has a count.
    unsafe { &*info.cast::<Slot>() }.fail();
}

extern "C" fn perform(info: *const c_void) {
    let slot = info.cast::<Slot>();
    // SAFETY: it is the slot of `Source::add`. The source has a count of it, and may lose that while the tick
    // runs.
    let slot = unsafe {
        Arc::increment_strong_count(slot);
        Arc::from_raw(slot)
    };
    pool::with_pool(|| slot.run());
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use core_foundation_sys::runloop::{CFRunLoopRemoveSource, CFRunLoopRunInMode};
    use interloop::{Reactor, Stats};

    use super::*;

    /// A source, and a reactor whose ticks signal it.
    fn interleaved() -> io::Result<(Arc<Source>, Arc<Slot>, Reactor)> {
        let slot = Arc::<Slot>::default();
        let source = Arc::new(Source::add(&Modes::common(), &slot)?);
        let reactor = Reactor::new()?;
        let (signalled, posted) = (Arc::clone(&source), Arc::clone(&slot));
        reactor.interleave(move |tick| posted.post(tick, || signalled.signal()))?;
        Ok((source, slot, reactor))
    }

    fn failed(reactor: &Reactor) -> u64 {
        let Stats { wakes_failed, .. } = reactor.stats();
        wakes_failed
    }

    #[test]
    fn the_slot_is_kept_once_and_let_go_once() -> io::Result<()> {
        let slot = Arc::<Slot>::default();
        let source = Source::add(&Modes::common().and("another"), &slot)?;
        assert_eq!(Arc::strong_count(&slot), 2);
        drop(source);
        assert_eq!(Arc::strong_count(&slot), 1);
        Ok(())
    }

    #[test]
    fn a_source_that_others_invalidate_fails_its_posts() -> io::Result<()> {
        let (source, slot, reactor) = interleaved()?;
        reactor.remote().call(|| ()).expect("the reactor lives");
        assert_eq!(failed(&reactor), 0);
        // SAFETY: the source is kept.
        unsafe { CFRunLoopSourceInvalidate(source.source.get()) };
        assert!(failed(&reactor) > 0, "the tick that was on its way");
        assert!(!source.signal());
        assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
        drop((source, reactor));
        assert_eq!(Arc::strong_count(&slot), 1);
        Ok(())
    }

    #[test]
    fn a_source_that_others_take_out_and_put_back_goes_on() -> io::Result<()> {
        let (source, _slot, reactor) = interleaved()?;
        let ran = Rc::new(Cell::new(false));
        let done = Rc::clone(&ran);
        let names = object::names(&Modes::common())?;
        // SAFETY: all of them are kept.
        unsafe {
            CFRunLoopRemoveSource(source.run_loop.get(), source.source.get(), names[0].get())
        };
        reactor.spawn_local(async move { done.set(true) }).detach();
        // SAFETY: all of them are kept.
        unsafe { CFRunLoopAddSource(source.run_loop.get(), source.source.get(), names[0].get()) };
        while !ran.get() {
            let mode = object::names(&Modes::only("kCFRunLoopDefaultMode"))?;
            // SAFETY: it is a string.
            unsafe { CFRunLoopRunInMode(mode[0].get(), 0.01, 1) };
        }
        Ok(())
    }
}
