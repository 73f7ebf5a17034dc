//! The wake: from "something was pushed" to one tick at the host, and to a worker that watches
//! whether it came. The loom models run this file.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use crate::park::Watch;
use crate::proxy::{Wake, Waker};
use crate::report::Report;
use crate::shared::Shared;
use crate::tick::Tick;

impl Shared {
    /// Makes sure that a turn follows what was pushed before.
    pub(crate) fn wake(self: &Arc<Shared>) {
        self.counters.requested.add(1);
        if self.inbox.post() {
            self.wake_posted();
        } else {
            self.counters.coalesced.add(1);
        }
    }

    /// Wakes the host for a `post` that asked for it, and has the worker watch whether it came.
    pub(crate) fn wake_posted(self: &Arc<Shared>) {
        // A forked child has no host to wake, and would wake its parent's.
        if !self.process.is_current() {
            return;
        }
        self.counters.woken_at(self.clock.now());
        if self.inline.load(Ordering::Relaxed) && self.is_host() {
            self.notify_if(self.park.relay());
            return;
        }
        match self.call_waker() {
            Wake::Called | Wake::Panicked => self.notify_if(self.park.watch(Watch::Tick)),
            Wake::Handed | Wake::Held | Wake::Closed => {}
        }
    }

    /// Calls the waker, whatever is pending.
    pub(crate) fn call_waker(self: &Arc<Shared>) -> Wake {
        let wake = self.proxy.wake(|| {
            self.counters.issued.add(1);
            Tick::new(Arc::clone(self))
        });
        if wake == Wake::Panicked {
            self.report(&Report::WakerPanicked);
        }
        wake
    }

    /// A tick was dropped, or ran where it must not.
    pub(crate) fn post_failed(&self) {
        self.counters.failed.add(1);
        self.notify_if(self.park.fail());
    }

    /// A tick was run inside the waker, on the host thread: the worker posts from now on.
    pub(crate) fn post_inline(&self) {
        self.inline.store(true, Ordering::Relaxed);
        self.counters.failed.add(1);
        self.notify_if(self.park.relay());
    }

    /// Puts a waker in the place of the one there, and wakes it if a turn is owed.
    pub(crate) fn swap_waker(self: &Arc<Shared>, waker: Arc<Waker>) -> io::Result<()> {
        let limit = Instant::now() + self.options.swap_limit;
        self.inline.store(false, Ordering::Relaxed);
        let swapped = self.proxy.swap(Some(waker), limit);
        let in_place =
            swapped.as_ref().map_or_else(|e| e.kind() == io::ErrorKind::TimedOut, |()| true);
        if in_place && self.proxy.replay() {
            self.rewake();
        }
        swapped
    }

    /// Wakes the host once more if a turn is owed: the tick that is outstanding may be lost.
    pub(crate) fn rewake(self: &Arc<Shared>) {
        if self.inbox.is_pending() {
            self.wake_posted();
        }
    }

    /// Notifies the backend if the worker sleeps in it, as `Park` found out.
    pub(crate) fn notify_if(&self, asleep: bool) {
        if !asleep || !self.process.is_current() {
            self.counters.interrupts_saved.add(1);
            return;
        }
        self.counters.interrupts.add(1);
        if let Err(error) = self.poller.notify() {
            self.report(&Report::BackendFailed(&error));
        }
        self.worker.unpark();
    }
}
