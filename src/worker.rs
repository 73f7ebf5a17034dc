//! The worker: the thread that blocks in the backend, so that the host need not.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::Ordering;
use std::sync::{Arc, OnceLock};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use interloop_backends::{Event, Poller};

use crate::clock::{NEVER, Nanos};
use crate::local::{self, ThreadToken};
use crate::park::Watch;
use crate::report::Report;
use crate::rest;
use crate::shared::Shared;
use crate::sync::{Condvar, Mutex, lock};
use crate::watchdog::Watchdog;

/// As many events as one would rather collect a while longer than be woken for.
const FEW: usize = 64;

/// Starts the worker of a reactor.
///
/// # Errors
///
/// What the operating system said when it refused the thread.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<thread::JoinHandle<()>> {
    let name = format!("interloop-{}", shared.id);
    let worker = Worker { watchdog: Watchdog::new(&shared.options), shared: Arc::clone(shared) };
    thread::Builder::new().name(name).spawn(move || worker.run()).map_err(|error| {
        let message = format!("the reactor cannot start its worker thread: {error}");
        io::Error::new(error.kind(), message)
    })
}

struct Worker {
    shared: Arc<Shared>,
    watchdog: Watchdog,
}

impl Worker {
    fn run(mut self) {
        let shared = Arc::clone(&self.shared);
        shared.worker.began();
        let _ended = Ended(&shared.worker);
        let mut events = Vec::new();
        while let Some(until) = self.sleep_until() {
            let timeout = shared.clock.until(until);
            if shared.worker.has_failed() {
                // Without a backend, timers, calls, tasks and the shutdown still work.
                thread::park_timeout(timeout.unwrap_or(Duration::MAX));
            } else if let Err(error) = wait(&*shared.poller, &mut events, timeout) {
                self.failed(&error);
            }
            shared.park.awake();
            shared.counters.returns.add(1);
            self.deliver(&mut events);
            let now = shared.clock.now();
            if shared.park.take_due(now) {
                self.wake();
            }
            self.watchdog.check(&shared, now);
        }
        self.let_go(&mut events);
    }

    /// Has a backend that takes changes when it waits take the last ones: what the end has deleted would stay open as long as
    /// anybody has the backend. `finish` has the host thread wait from here on, and that is to hear what this wait finds.
    fn let_go(&mut self, events: &mut Vec<Event>) {
        let shared = Arc::clone(&self.shared);
        if shared.poller.applies_at_once() || shared.worker.has_failed() {
            return;
        }
        // An error is the next wait's, if there is one.
        let _failed = wait(&*shared.poller, events, Some(Duration::ZERO));
        if !events.is_empty() {
            shared.inbox.put_events(events);
            self.wake();
        }
    }

    fn sleep_until(&mut self) -> Option<Nanos> {
        let park = &self.shared.park;
        park.sleep_until(|| self.watchdog.until(&self.shared).min(park.deadline()))
    }

    /// Keeps the error that the backend died of, and lets the host know.
    fn failed(&mut self, error: &io::Error) {
        // The host thread may poll in the worker's place once it has told it to end.
        if !self.shared.park.is_exiting() {
            self.shared.worker.fail(error);
            self.shared.report(&Report::BackendFailed(error));
            self.wake();
        }
    }

    /// Hands a wait's events to the host, with one wake.
    fn deliver(&mut self, events: &mut Vec<Event>) {
        if events.is_empty() {
            return;
        }
        // The turn will have things waiting behind its callbacks; watching them from the start
        // saves it the interrupt.
        if events.len() > 1 {
            self.shared.park.raise(Watch::Callback);
        }
        // A full wait is worth its return, and there may be more.
        let few = events.len() <= FEW;
        self.shared.inbox.put_events(events);
        let is_busy = self.shared.inbox.is_pending();
        self.wake();
        if few && is_busy {
            self.rest();
        }
    }

    /// The host has not come to what was delivered before: it looks for itself, where it can.
    fn rest(&self) {
        let shared = &self.shared;
        // One that has its wakes posted by the worker needs it.
        let needed = shared.inline.load(Ordering::Relaxed);
        if !needed && shared.poller.descriptor().is_some() {
            shared.rest.rest(|| thread::park_timeout(rest::LIMIT));
        }
    }

    fn wake(&mut self) {
        self.shared.park.raise(Watch::Tick);
        self.shared.wake();
    }
}

/// Says that the worker has ended, however it did.
struct Ended<'a>(&'a WorkerEnd);

impl Drop for Ended<'_> {
    fn drop(&mut self) {
        self.0.ended();
    }
}

/// Waits in the backend. One that a user wrote may panic: that is a failure of the backend as any
/// other, and not the silent end of the worker.
pub(crate) fn wait(
    poller: &dyn Poller,
    events: &mut Vec<Event>,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let waited = catch_unwind(AssertUnwindSafe(|| poller.wait(events, timeout)));
    waited.unwrap_or_else(|_panic| Err(io::Error::other("it panicked in wait()")))
}

/// What the other threads know of the worker's life.
pub(crate) struct WorkerEnd {
    /// Set by the worker when it begins.
    thread: OnceLock<(ThreadToken, Thread)>,
    /// The error that killed the backend.
    failure: OnceLock<(io::ErrorKind, String)>,
    ended: Mutex<bool>,
    changed: Condvar,
}

impl WorkerEnd {
    pub(crate) fn new() -> WorkerEnd {
        WorkerEnd {
            thread: OnceLock::new(),
            failure: OnceLock::new(),
            ended: Mutex::new(false),
            changed: Condvar::new(),
        }
    }

    fn began(&self) {
        let _set_once = self.thread.set((local::thread(), thread::current()));
    }

    fn ended(&self) {
        *lock(&self.ended) = true;
        self.changed.notify_all();
    }

    /// Keeps the first error that killed the backend.
    pub(crate) fn fail(&self, error: &io::Error) {
        self.failure.get_or_init(|| (error.kind(), error.to_string()));
    }

    pub(crate) fn has_failed(&self) -> bool {
        self.failure.get().is_some()
    }

    /// The error that killed the backend.
    pub(crate) fn failure(&self) -> Option<io::Error> {
        self.failure.get().map(|(kind, message)| {
            io::Error::new(*kind, format!("the reactor's backend has failed: {message}"))
        })
    }

    /// Wakes a worker that sleeps without a backend.
    pub(crate) fn unpark(&self) {
        if self.has_failed() {
            self.end_pause();
        }
    }

    /// Ends the pause of a worker that rests.
    pub(crate) fn end_pause(&self) {
        if let Some((_, thread)) = self.thread.get() {
            thread.unpark();
        }
    }

    /// True when `token` is the worker.
    pub(crate) fn is(&self, token: ThreadToken) -> bool {
        self.thread.get().is_some_and(|(worker, _)| *worker == token)
    }

    /// Waits until the worker has ended, at most until `limit`. True when it has.
    pub(crate) fn wait(&self, limit: Instant) -> bool {
        let mut ended = lock(&self.ended);
        while !*ended {
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.changed.wait_timeout(ended, left);
            ended = waited.unwrap_or_else(std::sync::PoisonError::into_inner).0;
        }
        true
    }
}

/// A sleep that ends at once.
pub(crate) const NOW: Nanos = 1;

/// A sleep that only an interrupt ends.
pub(crate) const FOREVER: Nanos = NEVER;
