//! Who runs the turns: the ways to drive a reactor, and to end it.

use std::future::Future;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Handle;
use crate::core::Drive;
use crate::embed::Embedded;
use crate::local;
use crate::run::{FinishGuard, Finished};
use crate::tick::Tick;
use crate::waker_proxy::WakerProxy;
use crate::worker;

impl Handle {
    /// Joins the reactor to a host loop: the worker begins, and whenever there is something to do
    /// on the host thread it calls `waker`, on any thread, with a [`Tick`] to post there.
    ///
    /// What was posted before causes exactly one wake, now. Where the host cannot be woken before
    /// its loop runs, [`hold`](WakerProxy::hold) the proxy first and release it from the loop.
    ///
    /// The waker must not call callbacks itself; it may fail, block, or drop its tick.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when something drives the reactor already, which goes on
    /// undisturbed; `NotConnected` when it has stopped; what the operating system said when the
    /// worker thread was refused.
    pub fn interleave(
        &self,
        waker: impl Fn(Tick) + Send + Sync + 'static,
    ) -> io::Result<WakerProxy> {
        self.core.shared.check()?;
        self.core.check_free("interleave()")?;
        self.core.end_levels();
        let worker = worker::start(&self.core.shared)?;
        self.core.worker.replace(Some(worker));
        self.core.drive.set(Drive::Interleaved);
        let proxy = self.waker_proxy();
        proxy.swap(waker)?;
        // One that could not be armed for the worker is to hear of it.
        if self.core.owes_a_turn() {
            self.core.shared.wake();
        }
        Ok(proxy)
    }

    /// Embeds the reactor in a host loop that can watch a descriptor: the backend's own, with the timers
    /// and the wakes of other threads in it. There is no worker; when the descriptor is readable, the
    /// host calls [`Embedded::turn`]. It costs what a native source of that host costs, however many
    /// sources are registered.
    ///
    /// What was posted before makes the descriptor readable, now. The host's watch has to be one by level,
    /// and one that goes on in nested loops.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the backend has no such descriptor, as `poll`, `select` and `polling`:
    /// [`interleave`](Handle::interleave) then. `AlreadyExists` when something drives the reactor already;
    /// `NotConnected` when it has stopped; what the operating system said when it refused a timer.
    pub fn embed(&self) -> io::Result<Embedded> {
        self.core.embed()
    }

    /// When the next turn is due, for a host that plans its own waits: the time of the earliest timer, or
    /// one that has passed when a turn is owed already. None when nothing is due. The drives know it by
    /// themselves.
    pub fn next_deadline(&self) -> Option<Instant> {
        let shared = &self.core.shared;
        if shared.is_over() {
            return None;
        }
        if shared.inbox.is_pending() || self.core.owes_a_turn() {
            return Some(Instant::now());
        }
        let earliest = self.core.timers.borrow_mut().earliest();
        earliest.and_then(|due| shared.clock.instant(due))
    }

    /// The holder of the host's waker. It may be held before there is one.
    pub fn waker_proxy(&self) -> WakerProxy {
        WakerProxy::new(Arc::clone(&self.core.shared))
    }

    /// Runs a turn: delivers what is ready, within the budget. [`Tick::run`] does it; call it
    /// yourself where a host's message cannot carry a tick. It is safe at any time, in a callback
    /// too, where it runs the other callbacks. Inside the waker, where a host dispatches its message at once, it
    /// runs nothing, as [`Tick::run`] there: the worker posts once more, from its own thread.
    ///
    /// # Panics
    ///
    /// With the panic of a callback, once everything else in the turn has run.
    pub fn turn(&self) {
        // Only a worker can post what is put off here.
        if local::is_waking() && self.core.drive.get() == Drive::Interleaved {
            self.core.shared.post_inline();
        } else {
            self.core.turn();
        }
    }

    /// Runs the reactor with its own loop, without any toolkit, until it has stopped.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` when something drives it already; `NotConnected` when it has
    /// stopped; the backend's error when that fails.
    ///
    /// # Panics
    ///
    /// With the panic of a callback. The reactor can be run again.
    pub fn run(&self) -> io::Result<()> {
        self.core.run()
    }

    /// Runs the reactor with its own loop until `future` has ended, and gives its output. Tasks,
    /// timers and sources go on meanwhile; afterwards they rest until the reactor is driven again, by
    /// whichever way.
    ///
    /// The future may borrow; it is polled on this thread, outside of turns.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` inside a callback, or when something drives the reactor already;
    /// `NotConnected` when it has stopped, before or meanwhile; the backend's error when that fails.
    /// The future is dropped then.
    ///
    /// # Panics
    ///
    /// With the panic of the future or of a callback.
    pub fn block_on<F: Future>(&self, future: F) -> io::Result<F::Output> {
        self.core.block_on(future)
    }

    /// Completes the shutdown on this thread, when the host loop has ended, was never started, or
    /// ended behind our back: stops the reactor if nobody has, takes waking and polling over from
    /// the host and the worker, and turns until all is done. I/O, timers and tasks work as in the
    /// host loop.
    ///
    /// Nobody waits for ever: when `timeout` has passed, what is left is cancelled, and named in
    /// the answer.
    ///
    /// # Errors
    ///
    /// `Deadlock` inside a callback; `Unsupported` in a forked child.
    ///
    /// # Panics
    ///
    /// With the first panic of a callback, once all is done.
    pub fn finish(&self, timeout: Duration) -> io::Result<Finished> {
        self.core.finish(timeout)
    }

    /// Finishes the reactor when the guard is dropped: one line in `main` that makes every way out
    /// of it orderly. What was abandoned is reported. While the thread panics it does nothing, and
    /// leaves it to the reactor's own drop.
    pub fn finish_on_drop(&self, timeout: Duration) -> FinishGuard {
        FinishGuard::new(Rc::clone(&self.core), timeout)
    }
}
