//! The tick that is on its way to a run loop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use interloop::Tick;

use crate::run_loop;

/// What the run loop's source and those who signal it share.
#[derive(Default)]
pub(crate) struct Slot {
    tick: Mutex<Option<Tick>>,
    /// The runs of the loop that turns are in are to be stopped. Written and read by the host thread, and
    /// so it orders nothing.
    ends: AtomicBool,
}

impl Slot {
    /// Puts a tick, and has `signal` tell the run loop. False from that is a failed post.
    pub(crate) fn post(&self, tick: Tick, signal: impl FnOnce() -> bool) {
        let old = self.lock().replace(tick);
        if let Some(old) = old {
            // The reactor has grown impatient. The new tick stands for both.
            old.detach();
        }
        if !signal() {
            self.fail();
        }
    }

    /// A tick that will not come is a failed post.
    pub(crate) fn fail(&self) {
        let tick = self.lock().take();
        drop(tick);
    }

    /// Runs the tick, on the host thread, inside the run loop.
    pub(crate) fn run(&self) {
        let tick = self.lock().take();
        if let Some(tick) = tick {
            tick.run();
        }
        self.turned();
    }

    /// A turn has ended, and the run loop comes next.
    pub(crate) fn turned(&self) {
        if self.ends.load(Ordering::Relaxed) {
            run_loop::stop();
        }
    }

    /// Has the runs of the loop stopped that turns are in.
    pub(crate) fn end(&self) {
        self.ends.store(true, Ordering::Relaxed);
    }

    fn lock(&self) -> MutexGuard<'_, Option<Tick>> {
        self.tick.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
