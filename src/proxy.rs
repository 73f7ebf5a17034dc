//! The holder of the host's waker, which makes start-up and teardown safe in every order.
//!
//! It is a monitor: one thread at a time is inside the waker (`calling`), and the lock is held to
//! go in and to come out, not in between. A waker may block until the host has run the tick, as
//! SendMessage does; the turn that runs then, and the wakes that it makes, must find the lock free.
//! Who comes while the waker runs leaves word (`again`) and goes on.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::local::{self, ThreadToken};
use crate::sync::{Condvar, Mutex, MutexGuard, lock};
use crate::tick::Tick;

/// The host's function that posts a tick to the host thread.
pub(crate) type Waker = dyn Fn(Tick) + Send + Sync;

pub(crate) struct Proxy {
    state: Mutex<State>,
    /// Signalled when a call of the waker has ended and somebody waits for that, which `waiting` says:
    /// a signal for nobody is a system call all the same, and each wake would pay it.
    idle: Condvar,
}

struct State {
    /// None before the first, and after the last.
    waker: Option<Arc<Waker>>,
    holds: usize,
    closed: bool,
    /// A wake came while nobody could be woken: the one bit that going live replays.
    remembered: bool,
    /// The thread that is inside the waker.
    calling: Option<ThreadToken>,
    /// How many calls of the waker have begun.
    calls: u64,
    /// A wake came while the waker ran: whoever runs it runs it once more.
    again: bool,
    /// How many threads wait until nobody is inside the waker.
    waiting: usize,
    /// The reactor's own waker, while the host thread polls by itself: it is called in the place of
    /// the host's, by any number of threads at a time, whatever is held or swapped.
    own: Option<Arc<Waker>>,
}

/// What became of a wake.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wake {
    /// The waker was called.
    Called,
    /// The waker was called, and panicked.
    Panicked,
    /// Another thread is inside the waker and calls it once more.
    Handed,
    /// The host cannot be woken yet; going live will wake it.
    Held,
    /// The host will never be woken again.
    Closed,
}

impl Proxy {
    pub(crate) fn new() -> Proxy {
        Proxy {
            state: Mutex::new(State {
                waker: None,
                holds: 0,
                closed: false,
                remembered: false,
                calling: None,
                calls: 0,
                again: false,
                waiting: 0,
                own: None,
            }),
            idle: Condvar::new(),
        }
    }

    /// Calls the waker with a tick, if the host can be woken.
    pub(crate) fn wake(&self, tick: impl Fn() -> Tick) -> Wake {
        let mut state = lock(&self.state);
        if state.closed {
            return Wake::Closed;
        }
        // It does not wait for a host's waker that may never return.
        if let Some(own) = state.own.clone() {
            drop(state);
            own(tick());
            return Wake::Called;
        }
        if state.calling.is_some() {
            state.again = true;
            return Wake::Handed;
        }
        let mut outcome = Wake::Held;
        while let Some(waker) = state.live() {
            state.calling = Some(local::thread());
            state.calls += 1;
            state.again = false;
            drop(state);
            let called = {
                let _waking = local::waking();
                // The last owner of a waker that was swapped out drops it, in here, before the swap
                // returns.
                let tick = &tick;
                catch_unwind(AssertUnwindSafe(move || waker(tick())))
            };
            outcome = if called.is_ok() { Wake::Called } else { Wake::Panicked };
            // A panic's payload is user code too.
            let _dropped = catch_unwind(AssertUnwindSafe(|| drop(called)));
            state = lock(&self.state);
            state.calling = None;
            if state.waiting > 0 {
                self.idle.notify_all();
            }
            if !state.again {
                return outcome;
            }
        }
        state.remembered = !state.closed;
        outcome
    }

    /// No call of the waker begins after this, until the matching `release`.
    pub(crate) fn hold(&self) {
        lock(&self.state).holds += 1;
    }

    /// Undoes one `hold`. True when the host can be woken again, and a wake was remembered.
    ///
    /// # Errors
    ///
    /// `InvalidInput` when nothing is held.
    pub(crate) fn release(&self) -> io::Result<bool> {
        let mut state = lock(&self.state);
        if state.holds == 0 {
            let message = "release() without a hold(): the waker proxy is not held";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        state.holds -= 1;
        Ok(state.take_remembered())
    }

    /// True when the host can be woken, and a wake was remembered.
    pub(crate) fn replay(&self) -> bool {
        lock(&self.state).take_remembered()
    }

    /// Puts `waker` in the place of the one there, and waits until that is not running, at most
    /// until `limit`. The old waker is dropped by this thread or before. A tick that it was given
    /// may be lost with it: that wake is remembered, for the caller to replay.
    ///
    /// # Errors
    ///
    /// `Deadlock` from inside the waker; `TimedOut` when the old waker still runs at the limit,
    /// where the new one is in place all the same; `NotConnected` after `close`.
    pub(crate) fn swap(&self, waker: Option<Arc<Waker>>, limit: Instant) -> io::Result<()> {
        let mut state = lock(&self.state);
        if state.calling == Some(local::thread()) {
            let message = "the waker cannot be swapped from inside the waker: \
                           do it from the host thread, or from a call";
            return Err(io::Error::new(io::ErrorKind::Deadlock, message));
        }
        if state.closed {
            let message = "the waker cannot be swapped: the reactor has stopped";
            return Err(io::Error::new(io::ErrorKind::NotConnected, message));
        }
        let old = std::mem::replace(&mut state.waker, waker);
        // The first waker has lost nothing: who came before it was remembered already.
        state.remembered |= old.is_some();
        self.wait_idle(state, limit, old)
    }

    /// Takes the host's waker away, without waiting for it, and has the reactor's `own` called from
    /// here on: for an end at which the host may be unable to let its waker return.
    pub(crate) fn seize(&self, own: Arc<Waker>) {
        let mut state = lock(&self.state);
        if !state.closed {
            state.own = Some(own);
            let old = state.waker.take();
            drop(state);
            drop(old);
        }
    }

    /// Ends `seize`. What the reactor's own waker was told is for the host's next one.
    pub(crate) fn restore(&self) {
        let mut state = lock(&self.state);
        state.remembered = !state.closed;
        let own = state.own.take();
        drop(state);
        drop(own);
    }

    /// The waker is never called again. Waits for a call that runs, at most until `limit`, unless
    /// this thread is inside it.
    ///
    /// # Errors
    ///
    /// `TimedOut` when the waker still runs.
    pub(crate) fn close(&self, limit: Instant) -> io::Result<()> {
        let mut state = lock(&self.state);
        state.closed = true;
        state.remembered = false;
        let old = state.waker.take();
        if state.calling == Some(local::thread()) {
            drop(state);
            return Ok(());
        }
        self.wait_idle(state, limit, old)
    }

    /// The thread that is inside the waker.
    pub(crate) fn caller(&self) -> Option<ThreadToken> {
        lock(&self.state).calling
    }

    fn wait_idle(
        &self,
        mut state: MutexGuard<'_, State>,
        limit: Instant,
        old: Option<Arc<Waker>>,
    ) -> io::Result<()> {
        // A call that begins after this one is of another waker.
        let call = state.calls;
        while let Some(caller) = state.calling.filter(|_| state.calls == call) {
            let left = limit.saturating_duration_since(Instant::now());
            if left == Duration::ZERO {
                drop(state);
                drop(old);
                let message = format!("the host's waker is still running, on {caller}");
                return Err(io::Error::new(io::ErrorKind::TimedOut, message));
            }
            state.waiting += 1;
            let waited = self.idle.wait_timeout(state, left);
            state = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
            state.waiting -= 1;
        }
        drop(state);
        drop(old);
        Ok(())
    }
}

impl State {
    /// Takes the remembered wake, when the host can be woken.
    fn take_remembered(&mut self) -> bool {
        self.live().is_some() && std::mem::take(&mut self.remembered)
    }

    /// The waker, when it may be called.
    fn live(&self) -> Option<Arc<Waker>> {
        self.waker.as_ref().filter(|_| self.holds == 0).cloned()
    }
}
