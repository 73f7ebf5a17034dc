//! The host thread's half of a reactor, and the rule by which its changes reach the other half.
//!
//! A change outside a turn is settled at once. In a turn it waits for the end, so that a hundred
//! changes cost one interrupt. A callback may open a nested host loop, and then the end is far: so
//! while a callback runs with anything left behind, the worker watches, and gives the nested loop a
//! tick; where there is no worker, the backend's alarm does.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
#[cfg(feature = "net")]
use std::future::{Future, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;
use std::time::Duration;

use interloop_backends::{Event, Key};

use crate::call::Call;
use crate::clock::{NEVER, Nanos, nanos};
use crate::executor::Tasks;
use crate::label::Label;
use crate::report::Report;
use crate::shared::Shared;
use crate::shutdown::Shutdown;
use crate::sources::{Ready, Sources};
use crate::stats::HostCounters;
use crate::stopwatch::Stopwatch;
use crate::timers::Timers;

/// How many things that do not wait a task may do in one poll.
pub(crate) const CREDIT: u32 = 64;

/// Who runs the turns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Drive {
    /// Nobody yet.
    None,
    /// A foreign host, woken by the worker.
    Interleaved,
    /// A foreign host, which watches the backend's descriptor.
    Embedded,
    /// `run`, on this thread's stack.
    Running,
}

pub(crate) struct Core {
    pub(crate) shared: Arc<Shared>,
    pub(crate) counters: HostCounters,
    pub(crate) sources: Sources,
    pub(crate) timers: RefCell<Timers>,
    pub(crate) tasks: Tasks,
    pub(crate) shutdown: Shutdown,
    pub(crate) drive: Cell<Drive>,
    pub(crate) worker: RefCell<Option<JoinHandle<()>>>,
    /// True while the backend's descriptor is lent to a host that may keep hold of what it stands for, so that the
    /// backend cannot be renewed.
    pub(crate) lent: Cell<bool>,
    /// How many waits have reported what is nobody's, since the last renewal.
    pub(crate) vain: Cell<usize>,
    /// When the backend's alarm is to go off, or `NEVER`: of the embedded drive.
    pub(crate) alarm: Cell<Nanos>,
    /// When it does: not later than that, and not too far ahead for a backend.
    pub(crate) rings: Cell<Nanos>,
    /// What was reported and not dispatched yet.
    pub(crate) ready: RefCell<VecDeque<Ready>>,
    /// The buffer of the host thread's own waits.
    pub(crate) polled: RefCell<Vec<Event>>,
    /// The calls that the end of the reactor runs.
    pub(crate) last_calls: RefCell<VecDeque<Call>>,
    /// Panics of callbacks, until the end of a turn can let one go on.
    pub(crate) panics: RefCell<VecDeque<Box<dyn Any + Send>>>,
    /// How many turns are on the stack.
    pub(crate) depth: Cell<u32>,
    /// True from a turn that found the inbox posted until one has found all of it empty.
    pub(crate) posted: Cell<bool>,
    /// The phase that the next turn begins with.
    pub(crate) first_phase: Cell<usize>,
    /// The clock at the end of the last callback, or at the begin of the turn; as it was a few callbacks
    /// ago, while these are short.
    pub(crate) now: Cell<Nanos>,
    /// True while nothing has run since `now` was read.
    pub(crate) fresh: Cell<bool>,
    stopwatch: Stopwatch,
    /// How long a callback takes that is slow.
    slow: Nanos,
    /// How long a turn may last.
    pub(crate) turn_time: Nanos,
    /// True when the reactor's own loop has another turn before it, and does not park.
    pub(crate) goes_on: Cell<bool>,
    /// When the reactor's own loop has looked into the backend, as of `now`.
    pub(crate) looked: Cell<Nanos>,
    /// True once the sources heard that the backend has failed.
    pub(crate) failure_told: Cell<bool>,
    #[cfg(feature = "net")]
    pub(crate) resolver: RefCell<Rc<dyn crate::net::Resolve>>,
    /// How many things that do not wait the running task may still do.
    pub(crate) credit: Cell<u32>,
    /// Of the futures that wait for a source.
    #[cfg(feature = "net")]
    pub(crate) names: crate::cache::Names,
    /// How many callbacks have run: the number of the last.
    callbacks: Cell<u64>,
    /// The number of the callback on top of the stack, or 0.
    running: Cell<u64>,
    /// The number of the callback that the worker was told to watch, or 0.
    watched: Cell<u64>,
}

impl Core {
    pub(crate) fn new(shared: Arc<Shared>) -> Core {
        let slow = nanos(shared.options.slow_callback);
        let turn_time = nanos(shared.options.turn_time);
        Core {
            shared,
            counters: HostCounters::new(),
            sources: Sources::new(),
            timers: RefCell::new(Timers::new()),
            tasks: Tasks::new(),
            shutdown: Shutdown::new(),
            drive: Cell::new(Drive::None),
            worker: RefCell::new(None),
            lent: Cell::new(false),
            vain: Cell::new(0),
            alarm: Cell::new(NEVER),
            rings: Cell::new(NEVER),
            ready: RefCell::new(VecDeque::new()),
            polled: RefCell::new(Vec::new()),
            last_calls: RefCell::new(VecDeque::new()),
            panics: RefCell::new(VecDeque::new()),
            depth: Cell::new(0),
            posted: Cell::new(false),
            first_phase: Cell::new(0),
            now: Cell::new(0),
            fresh: Cell::new(false),
            stopwatch: Stopwatch::new(slow),
            slow,
            turn_time,
            goes_on: Cell::new(false),
            looked: Cell::new(0),
            failure_told: Cell::new(false),
            #[cfg(feature = "net")]
            resolver: RefCell::new(Rc::new(crate::net::SystemResolver)),
            credit: Cell::new(CREDIT),
            #[cfg(feature = "net")]
            names: crate::cache::Names::new(),
            callbacks: Cell::new(0),
            running: Cell::new(0),
            watched: Cell::new(0),
        }
    }

    /// # Errors
    ///
    /// `Unsupported` in a forked child; `NotConnected` once the sources are closed.
    pub(crate) fn check_open(&self) -> io::Result<()> {
        self.shared.check()?;
        if self.sources.is_closed() {
            let message = "the reactor is shutting down and has closed its sources";
            return Err(io::Error::new(io::ErrorKind::NotConnected, message));
        }
        Ok(())
    }

    /// Runs user code: with no borrow held, its panic kept for later, its time taken. None when it
    /// panicked.
    pub(crate) fn call_user<R>(
        &self,
        label: impl FnOnce(&Core) -> Option<Label>,
        code: impl FnOnce() -> R,
    ) -> Option<R> {
        let number = self.callbacks.get() + 1;
        self.callbacks.set(number);
        let outer = self.running.replace(number);
        // The reactor's own loop has nobody who would watch.
        if self.drive.get() != Drive::Running {
            if self.leaves_behind() {
                self.watch_callback();
            } else {
                self.unwatch();
            }
        }
        let began = self.now.get();
        let result = catch_unwind(AssertUnwindSafe(code));
        let ended = self.lap();
        self.running.set(outer);
        let took = ended.saturating_sub(began);
        // A callback in which other callbacks ran has opened a nested loop, and held up nobody.
        if took > self.slow && self.callbacks.get() == number {
            self.report_slow(label(self), took);
        }
        result.map_err(|panic| self.panics.borrow_mut().push_back(panic)).ok()
    }

    #[cold]
    fn report_slow(&self, label: Option<Label>, took: Nanos) {
        let Some(label) = label.map(|label| label.to_string()) else { return };
        let took = Duration::from_nanos(took);
        self.shared.report(&Report::SlowCallback { label: &label, took });
    }

    /// A callback has ended: reads the clock, unless those before it were so short, and this one too,
    /// that it can wait.
    fn lap(&self) -> Nanos {
        let last = self.now.get();
        if self.stopwatch.can_wait(&self.shared.clock, last) {
            return last;
        }
        let now = self.shared.clock.now();
        self.stopwatch.read(now.saturating_sub(self.now.replace(now)));
        now
    }

    /// The time at which a turn begins.
    pub(crate) fn start_clock(&self) -> Nanos {
        let now = self.shared.clock.now();
        self.now.set(now);
        self.stopwatch.start();
        now
    }

    /// Reads the clock if the last callbacks did not.
    pub(crate) fn catch_up(&self) {
        if self.stopwatch.is_behind() {
            self.start_clock();
        }
    }

    /// Wakes a task, ours or somebody else's: a short call into code that is not ours.
    pub(crate) fn wake_user(&self, waker: Waker) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| waker.wake())) {
            self.panics.borrow_mut().push_back(panic);
        }
    }

    /// Drops what is the user's, with no borrow held.
    pub(crate) fn drop_user<T>(&self, theirs: T) {
        self.call_user(|_| None, move || drop(theirs));
    }

    /// Lets a task do one more thing that does not wait, as often as it may in one poll. Then it is
    /// sent to the back of the queue: a peer that is always ready, or a loop around what fails at once,
    /// does not hold the host.
    #[inline]
    pub(crate) fn spend_credit(&self, cx: &Context<'_>) -> Poll<()> {
        if let Some(left) = self.credit.get().checked_sub(1) {
            self.credit.set(left);
            return Poll::Ready(());
        }
        self.refuse_credit(cx)
    }

    #[cold]
    fn refuse_credit(&self, cx: &Context<'_>) -> Poll<()> {
        // Refilled here for those whom another executor polls.
        self.credit.set(CREDIT);
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// As [`spend_credit`](Core::spend_credit), for an operation that has failed at once.
    #[cfg(feature = "net")]
    pub(crate) fn credit(&self) -> impl Future<Output = ()> + '_ {
        poll_fn(|cx| self.spend_credit(cx))
    }

    /// A change was made on the host thread that the worker, the backend or the host has to learn
    /// of.
    pub(crate) fn settle(self: &Rc<Core>) {
        // Nobody watches its callbacks; and the future of `block_on` is polled before a turn, which does all
        // this at its end.
        if self.drive.get() == Drive::Running {
            return;
        }
        if self.depth.get() > 0 {
            if self.running.get() != 0 {
                self.watch_callback();
            }
            return;
        }
        // No callback has ended just now: without this, a timer that is overdue would be sent
        // to the worker again.
        self.now.set(self.shared.clock.now());
        self.flush();
        if self.owes_a_turn() {
            self.shared.wake();
        }
    }

    /// Has another turn follow this one.
    pub(crate) fn ask_for_a_turn(self: &Rc<Core>) {
        if self.drive.get() == Drive::Running && self.depth.get() == 0 {
            // The loop is this thread's own, and looks before it parks.
            self.goes_on.set(true);
        } else {
            self.shared.wake();
        }
    }

    /// Makes all changes that were left to the end of the turn.
    pub(crate) fn flush(&self) {
        // A forked child shares the backend's set with its parent.
        if !self.shared.process.is_current() {
            return;
        }
        self.flush_sources();
        // A timer that is due asks for a turn, which the caller does, and not for the worker.
        let earliest = self.timers.borrow_mut().earliest();
        let deadline = earliest.filter(|&due| due > self.now.get()).unwrap_or(NEVER);
        if deadline != self.shared.park.deadline() {
            let notify = self.shared.park.set_deadline(deadline);
            self.shared.notify_if(notify);
        }
        self.set_alarm(deadline);
        if self.sources.take_unapplied() {
            self.shared.notify_if(self.shared.park.interrupt());
        }
    }

    /// True when there is something that only a turn can do.
    pub(crate) fn owes_a_turn(&self) -> bool {
        !self.ready.borrow().is_empty() || self.owes_more()
    }

    /// True when there is, besides what is ready.
    pub(crate) fn owes_more(&self) -> bool {
        !self.tasks.is_idle()
            || self.timers.borrow_mut().earliest().is_some_and(|due| due <= self.now.get())
            || self.shutdown.is_due(self.shared.is_stopping(), || self.is_pool_busy())
    }

    /// True while a closure of the pool runs, or has given what nobody has heard of yet. The pool is the parent's in
    /// a forked child, and so may be its lock.
    pub(crate) fn is_pool_busy(&self) -> bool {
        self.shared.process.is_current() && (self.shared.pool.is_busy() || self.tasks.is_unheard())
    }

    /// The worker is no longer to watch a callback of this turn.
    pub(crate) fn unwatch(&self) {
        if self.watched.replace(0) != 0 {
            self.shared.park.set_callback(0);
        }
    }

    /// Takes a task that was woken on this thread.
    #[inline]
    pub(crate) fn wake_task(self: &Rc<Core>, key: Key) {
        // The reactor's own loop has nothing to be told.
        if self.tasks.wake(key) && self.drive.get() != Drive::Running {
            self.settle();
        }
    }

    /// True when a callback that does not return would keep anything from happening.
    fn leaves_behind(&self) -> bool {
        let park = &self.shared.park;
        self.has_queued()
            || self.sources.is_dirty()
            || self.timers.borrow_mut().earliest().is_some_and(|due| due != park.deadline())
    }

    /// True when something waits for its place in a turn.
    pub(crate) fn has_queued(&self) -> bool {
        !self.ready.borrow().is_empty()
            || !self.tasks.is_idle()
            || (self.posted.get() && !self.shared.inbox.is_drained())
            || !self.last_calls.borrow().is_empty()
    }

    fn watch_callback(&self) {
        let number = self.running.get();
        // Each callback has its number: it is the callback that has to be long, not the turn.
        match self.drive.get() {
            Drive::Interleaved => {
                let before = self.watched.replace(number);
                if before != number && self.shared.park.watch_callback(number, before != 0) {
                    self.shared.notify_if(true);
                }
            }
            Drive::Embedded => self.watch_embedded(),
            _ => {}
        }
    }
}
