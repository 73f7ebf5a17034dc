//! A source of the run loop that any thread may signal: an event descriptor.
//!
//! `performSelector:onThread:` would do as well, but no thread that is not an `NSThread` may call it before
//! it has been made known to GNUstep, and each call allocates.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, ThreadId};

use rustix::event::{EventfdFlags, eventfd};

use super::watcher::{Readable, Watcher};
use crate::modes::Modes;
use crate::slot::Slot;

thread_local! {
    /// The watches of this thread's sources.
    static WATCHERS: RefCell<BTreeMap<usize, Watcher<Signalled>>> =
        const { RefCell::new(BTreeMap::new()) };
}

/// A source in the run loop of the thread that added it. It is taken out when this is dropped: at once on its
/// own thread; dropped on another, with the next run of the loop.
pub(crate) struct Source {
    signal: Arc<Signal>,
    thread: ThreadId,
}

/// What the threads that signal share with the one that is signalled.
struct Signal {
    event: OwnedFd,
    slot: Arc<Slot>,
    /// Set once, and published by the write to the event that follows it.
    is_removed: AtomicBool,
}

/// The run loop's side.
struct Signalled(Arc<Signal>);

impl Source {
    /// # Errors
    ///
    /// What the operating system said when it refused a descriptor; `InvalidInput` when a mode's name has
    /// a zero in it.
    pub(crate) fn add(modes: &Modes, slot: &Arc<Slot>) -> io::Result<Source> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let (slot, is_removed) = (Arc::clone(slot), AtomicBool::new(false));
        let signal = Arc::new(Signal { event, slot, is_removed });
        let watcher = Watcher::new(modes, Rc::new(Signalled(Arc::clone(&signal))))?;
        WATCHERS.with_borrow_mut(|watchers| watchers.insert(signal.number(), watcher));
        Ok(Source { signal, thread: thread::current().id() })
    }

    /// Has the slot's tick run. On any thread. False when the source was removed.
    pub(crate) fn signal(&self) -> bool {
        !self.signal.is_removed.load(Ordering::Relaxed) && self.signal.write()
    }

    /// Takes the source out of the run loop, if it is in there. A tick that waits is a failed post.
    pub(crate) fn remove(&self) {
        if self.signal.is_removed.swap(true, Ordering::Relaxed) {
            return;
        }
        if thread::current().id() == self.thread {
            self.signal.remove();
        } else {
            self.signal.write();
        }
        self.signal.slot.fail();
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.remove();
    }
}

impl Signal {
    fn number(&self) -> usize {
        (&raw const *self).addr()
    }

    fn write(&self) -> bool {
        // It is full only after more writes than anybody lives to make.
        rustix::io::write(&self.event, &1_u64.to_ne_bytes()).is_ok()
    }

    /// Ends the watch, on its thread.
    fn remove(&self) {
        // A thread that ends takes all of it along.
        let watcher = WATCHERS.try_with(|watchers| watchers.borrow_mut().remove(&self.number()));
        drop(watcher);
    }
}

impl AsFd for Signalled {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.event.as_fd()
    }
}

impl Readable for Signalled {
    fn is_readable(&self) {
        let Signalled(signal) = self;
        // Cleared, then run: what is signalled from here on makes it readable again. It may be read in a
        // nested loop first, and is empty then.
        let _empty = rustix::io::read(&signal.event, &mut [0; 8]);
        if signal.is_removed.load(Ordering::Relaxed) {
            signal.remove();
        } else {
            signal.slot.run();
        }
    }
}
