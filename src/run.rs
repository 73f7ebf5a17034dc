//! The built-in host: no toolkit, the thread parks in the backend. `finish` is the same loop with
//! an end.

use std::fmt;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::{NEVER, Nanos};
use crate::coop::unconstrained;
use crate::core::{CREDIT, Core, Drive};
use crate::local;
use crate::proxy;
use crate::shared::{Shared, gone};
use crate::shutdown::{JOIN_LIMIT, Phase, Stage};
use crate::worker;
use crate::worker::NOW;

/// What [`Handle::finish`](crate::Handle::finish) came to.
#[derive(Clone, Debug, Default)]
#[must_use = "it tells what was abandoned"]
pub struct Finished {
    /// What did not end before the deadline, by kind and label: triggers, tasks, sources, timers, the
    /// worker, a call of the host's waker.
    pub abandoned: Vec<String>,
    /// The triggers that ended with an error, and their errors.
    pub failed: Vec<String>,
}

impl Finished {
    /// True when nothing was abandoned and nothing failed.
    pub fn is_clean(&self) -> bool {
        self.abandoned.is_empty() && self.failed.is_empty()
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_clean() {
            return f.write_str("the reactor finished, and abandoned nothing");
        }
        let list = |items: &[String]| items.join("; ");
        if !self.abandoned.is_empty() {
            write!(f, "abandoned at the deadline: {}", list(&self.abandoned))?;
        }
        if !self.failed.is_empty() {
            let comma = if self.abandoned.is_empty() { "" } else { "; " };
            write!(f, "{comma}failed: {}", list(&self.failed))?;
        }
        Ok(())
    }
}

/// Finishes the reactor when it is dropped, from
/// [`Handle::finish_on_drop`](crate::Handle::finish_on_drop).
#[must_use = "the reactor is finished when this is dropped"]
pub struct FinishGuard {
    core: Rc<Core>,
    timeout: Duration,
}

impl FinishGuard {
    pub(crate) fn new(core: Rc<Core>, timeout: Duration) -> FinishGuard {
        FinishGuard { core, timeout }
    }
}

impl Drop for FinishGuard {
    fn drop(&mut self) {
        // A thread that panics is in no state to run callbacks: dropping the reactor is what is
        // left.
        if thread::panicking() {
            return;
        }
        let what = match self.core.finish(self.timeout) {
            Ok(finished) if finished.is_clean() => return,
            Ok(finished) => finished.to_string(),
            Err(error) => format!("the reactor could not finish: {error}"),
        };
        self.core.shared.report(&crate::Report::Unfinished(&what));
    }
}

impl fmt::Debug for FinishGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FinishGuard").field("timeout", &self.timeout).finish()
    }
}

/// How long `finish` waits for the host's waker to return, within its timeout. One that posts
/// returns long before; one that waits until the host has run the tick waits for this very thread.
const WAKER_PATIENCE: Duration = Duration::from_secs(1);

/// How long `finish` waits for a worker that was told to end, even past its timeout.
const WORKER_PATIENCE: Duration = Duration::from_millis(100);

/// How long turns may follow each other without a look into the backend. One that is longer is followed by
/// a look.
pub(crate) const LOOK_EVERY: Nanos = 10_000;

/// Puts the drive back when `run` ends, with a panic too.
struct Running<'a>(&'a Rc<Core>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.drive.set(Drive::None);
        self.0.fresh.set(false);
        if self.0.goes_on.take() {
            let _woken_below = self.0.shared.inbox.post();
        }
        self.0.restore_waker();
        // What the last poll of a future has left is for the next drive.
        self.0.settle();
    }
}

/// The waker of a future that `block_on` polls.
struct Woken {
    /// Set by whoever wakes, on any thread, before it wakes the reactor; taken by the host thread
    /// before it polls, and looked at before it parks. Release publishes what the waker did before,
    /// to the poll. A wake that the host thread does not see before it parks comes from another
    /// thread, and ends the park by the reactor's own wake, which follows the flag.
    flag: AtomicBool,
    shared: Arc<Shared>,
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // Swapped and not stored: every wake publishes, and only the first of them wakes.
        if !self.flag.swap(true, Ordering::AcqRel) && !self.shared.is_host() {
            self.shared.wake();
        }
    }
}

impl Core {
    pub(crate) fn run(self: &Rc<Core>) -> io::Result<()> {
        self.shared.check()?;
        self.check_free("run()")?;
        self.drive.set(Drive::Running);
        self.seize_waker(self.notifying_waker());
        let _running = Running(self);
        loop {
            self.turn();
            // A callback may have forked: the child shares the set.
            self.shared.process.check()?;
            if self.shutdown.stage() == Stage::Over {
                return Ok(());
            }
            if let Some(error) = self.shared.worker.failure() {
                return Err(error);
            }
            self.poll_until(NEVER);
        }
    }

    /// Drives the reactor on this thread until `future` has ended.
    pub(crate) fn block_on<F: Future>(self: &Rc<Core>, future: F) -> io::Result<F::Output> {
        self.shared.check()?;
        self.check_free("block_on()")?;
        self.drive.set(Drive::Running);
        self.seize_waker(self.notifying_waker());
        let _running = Running(self);
        let mut future = pin!(unconstrained(future));
        let woken =
            Arc::new(Woken { flag: AtomicBool::new(true), shared: Arc::clone(&self.shared) });
        let waker = Waker::from(Arc::clone(&woken));
        let mut polled_at_once = false;
        loop {
            // Taken before the poll: what comes during it asks for another.
            if woken.flag.load(Ordering::Relaxed) && woken.flag.swap(false, Ordering::AcqRel) {
                self.credit.set(CREDIT);
                self.fresh.set(false);
                if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker))
                {
                    return Ok(output);
                }
            }
            self.turn();
            self.shared.process.check()?;
            if self.shutdown.stage() == Stage::Over {
                return Err(gone());
            }
            if let Some(error) = self.shared.worker.failure() {
                return Err(error);
            }
            // What a turn has woken is polled without a look at the backend in between, which would be a
            // system call for nothing when that ends it. Every other time: a future that wakes itself
            // keeps nobody from being ready.
            let again = woken.flag.load(Ordering::Acquire);
            polled_at_once = again && !polled_at_once;
            if !polled_at_once {
                self.poll_until(if again { NOW } else { NEVER });
            }
        }
    }

    /// Ends the reactor on this thread: takes the waking and the polling over, and turns until all
    /// is done, or `timeout` has passed.
    pub(crate) fn finish(self: &Rc<Core>, timeout: Duration) -> io::Result<Finished> {
        self.shared.process.check()?;
        if self.depth.get() > 0 {
            let message = "finish() inside a callback would wait for that callback: \
                           call stop() there, and finish() when the host loop has ended";
            return Err(io::Error::new(io::ErrorKind::Deadlock, message));
        }
        let limit = self.in_time(timeout);
        let mut finished = Finished::default();
        if self.shutdown.stage() != Stage::Over {
            self.shared.stop();
            self.seize_waker(self.notifying_waker());
            self.retire_worker(limit);
            self.drive.set(Drive::Running);
            self.turn_until_over(limit);
            // A callback may have forked.
            self.shared.process.check()?;
            if self.shutdown.stage() != Stage::Over {
                finished.abandoned = self.unfinished();
                self.end(true);
                // So may one of the last calls.
                self.shared.process.check()?;
            }
        }
        let left = self.shared.clock.until(limit).unwrap_or(Duration::MAX);
        // A thread that woke the host before may be in its waker yet. What the waker posts to is
        // the caller's to destroy when this returns.
        let closed = self.close_waker(Instant::now() + left.min(WAKER_PATIENCE));
        if closed.is_err() && !self.is_waker_busy() {
            finished.abandoned.push("a call of the host's waker, which does not return".to_owned());
        }
        let patience = left.clamp(WORKER_PATIENCE, JOIN_LIMIT);
        let patience = if self.is_waker_busy() { Duration::ZERO } else { patience };
        if !self.join_worker(patience) {
            let inside =
                if self.is_waker_busy() { "the host's waker" } else { "a report or a wait" };
            finished.abandoned.push(format!("the worker thread, inside {inside}"));
        }
        finished.failed = self.shutdown.take_failures();
        let panic = self.panics.borrow_mut().pop_front();
        match panic {
            Some(panic) => std::panic::resume_unwind(panic),
            None => Ok(finished),
        }
    }

    /// # Errors
    ///
    /// `AlreadyExists` when something drives the reactor already.
    pub(crate) fn check_free(&self, what: &str) -> io::Result<()> {
        let message = match self.drive.get() {
            Drive::None if self.depth.get() == 0 => return Ok(()),
            Drive::None => format!("{what} inside a callback of the same reactor"),
            Drive::Interleaved => format!("{what}: the reactor is already interleaved with a host"),
            Drive::Embedded => format!("{what}: the reactor is already embedded in a host"),
            Drive::Running => format!("{what}: the reactor is already running"),
        };
        Err(io::Error::new(io::ErrorKind::AlreadyExists, message))
    }

    fn turn_until_over(self: &Rc<Core>, limit: Nanos) {
        loop {
            self.quiet_turn();
            if self.shutdown.stage() == Stage::Over || self.shared.clock.now() >= limit {
                return;
            }
            // A callback may have forked: the child shares the set.
            if !self.shared.process.is_current() {
                return;
            }
            self.poll_until(limit);
        }
    }

    /// Blocks in the backend until something happens that needs a turn, or until `limit`. Where a turn is
    /// owed it only looks, and that not after each of the shortest: a task that yields would cost a system
    /// call each time.
    fn poll_until(&self, limit: Nanos) {
        let shared = &self.shared;
        let goes_on = self.goes_on.take() || limit == NOW || shared.inbox.is_pending();
        if goes_on {
            self.catch_up();
            if self.now.get() < self.looked.get().saturating_add(LOOK_EVERY) {
                self.fresh.set(true);
                return;
            }
        }
        self.looked.set(self.now.get());
        let timeout = if goes_on {
            Some(Duration::ZERO)
        } else {
            shared.clock.until(limit.min(shared.park.deadline()))
        };
        if shared.worker.has_failed() {
            // Without a backend, timers, calls and tasks still work: the waker unparks.
            thread::park_timeout(timeout.unwrap_or(Duration::MAX));
            shared.park.take_due(shared.clock.now());
            return;
        }
        self.poll(timeout);
    }

    /// Waits in the backend on this thread, and puts what it reports in line. True when that, or a timer
    /// that is due, asks for a turn.
    pub(crate) fn poll(&self, timeout: Option<Duration>) -> bool {
        let shared = &self.shared;
        let mut events = self.polled.take();
        match worker::wait(&*shared.poller, &mut events, timeout) {
            Ok(()) => {}
            // The worker is just leaving the backend.
            Err(error) if error.kind() == io::ErrorKind::ResourceBusy => thread::yield_now(),
            Err(error) => {
                shared.worker.fail(&error);
                shared.report(&crate::Report::BackendFailed(&error));
            }
        }
        let found = !events.is_empty();
        let vain = events.iter().fold(false, |vain, &event| !self.enqueue(event) | vain);
        events.clear();
        self.polled.replace(events);
        if vain {
            self.polled_in_vain();
        }
        let is_due = shared.park.deadline() != NEVER && shared.park.take_due(shared.clock.now());
        found || is_due
    }

    /// Tells the worker to end and waits until it cannot be polling any more: it has ended, or it
    /// is inside the host's waker and will end when that returns. At most until `limit`: a worker
    /// may be inside a reporter that waits for this thread.
    fn retire_worker(&self, limit: Nanos) {
        if self.worker.borrow().is_none() {
            return;
        }
        let notify = self.shared.park.exit();
        self.shared.notify_if(notify);
        while !self.shared.worker.wait(Instant::now() + Duration::from_millis(1)) {
            if self.is_waker_busy() || self.shared.clock.now() >= limit {
                return;
            }
        }
    }

    /// Has the reactor's `own` waker called in the place of the host's, which goes. What that has captured is the
    /// user's.
    pub(crate) fn seize_waker(&self, own: Arc<proxy::Waker>) {
        self.call_user(|_| None, || self.shared.proxy.seize(own));
    }

    /// Ends what `seize_waker` began. Not in a forked child: there nothing is called, and the lock may be held by a
    /// thread that it has not got.
    pub(crate) fn restore_waker(&self) {
        if self.shared.process.is_current() {
            self.shared.proxy.restore();
        }
    }

    /// A waker for a host that parks in the backend.
    fn notifying_waker(&self) -> Arc<proxy::Waker> {
        let poller = Arc::clone(&self.shared.poller);
        let host = self.shared.host;
        let parked = thread::current();
        Arc::new(move |tick| {
            tick.detach();
            // The host thread itself looks at the inbox before it parks.
            if local::thread() == host {
                return;
            }
            // A backend that cannot be notified fails its next wait too, which reports it. From
            // then on the host thread parks without it.
            let _failed = poller.notify();
            parked.unpark();
        })
    }

    /// What a shutdown that has to end now leaves undone.
    fn unfinished(&self) -> Vec<String> {
        let stage = self.shutdown.stage();
        let mut names: Vec<String> = Vec::new();
        for (phase, label) in self.shutdown.see() {
            names.push(format!("{phase:?} trigger {label}"));
        }
        let closures = self.shared.pool.see();
        names.extend(closures.iter().map(|closure| {
            let label = closure.task.and_then(|task| self.tasks.label(task));
            format!("blocking call {}", label.as_ref().unwrap_or(&closure.label))
        }));
        if stage <= Stage::Triggers(Phase::During) {
            let mut named = self.shutdown.tasks();
            named.extend(closures.iter().filter_map(|closure| closure.task));
            let tasks = self.tasks.labels_but(&named);
            names.extend(tasks.into_iter().map(|label| format!("task {label}")));
        }
        if stage <= Stage::Triggers(Phase::Before) {
            let sources = self.sources.see().into_iter().filter(|seen| !seen.limbo);
            names.extend(sources.map(|seen| format!("source {}", seen.label)));
            let timers = self.timers.borrow();
            names.extend(timers.table.iter().map(|(_, timer)| format!("timer {}", timer.label)));
        }
        names
    }
}
