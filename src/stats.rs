//! What the reactor counts.

use std::cell::{Cell, RefCell};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::clock::Nanos;
use crate::histogram::Histogram;

/// A snapshot of what a reactor has counted since it was made, from
/// [`Handle::stats`](crate::Handle::stats).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Stats {
    /// Wakes of the host that something asked for.
    pub wakes_requested: u64,
    /// Calls of the waker, those after a failed or lost tick included.
    pub wakes_issued: u64,
    /// Requested wakes that one outstanding tick answered.
    pub wakes_coalesced: u64,
    /// Ticks that were dropped, run on a wrong thread, or run inside the waker.
    pub wakes_failed: u64,
    /// Wakes that were repeated, because a tick failed or did not come.
    pub wakes_repeated: u64,
    /// Wakes for a callback that seemed to run a nested host loop.
    pub wakes_nested: u64,
    /// Wakes for what a turn has left over: by its budget, or woken while it ran.
    pub wakes_leftover: u64,
    /// Turns.
    pub turns: u64,
    /// Turns that a budget ended.
    pub budget_hits: u64,
    /// How deep turns were nested at the most; 1 without nested host loops.
    pub nesting: u32,
    /// Events that were delivered to a source.
    pub events: u64,
    /// Events of sources that were gone, or that were not armed any more.
    pub stale_events: u64,
    /// The most events that one turn found new.
    pub events_per_turn_max: u64,
    /// Timers that fired.
    pub timers: u64,
    /// Remote calls that ran.
    pub calls: u64,
    /// Times that a task was polled.
    pub polls: u64,
    /// Notifications that took the worker out of its wait.
    pub interrupts: u64,
    /// Notifications that were not necessary.
    pub interrupts_saved: u64,
    /// Returns of the worker from its wait.
    pub worker_returns: u64,
    /// The time from the wake to the turn that answered it: with what the host thread was doing
    /// when it was woken, a turn before included.
    pub wake_to_turn: Histogram,
}

/// A number that one or more threads count up. Relaxed throughout: it orders nothing, and is read
/// for information, or to see whether it moved.
pub(crate) struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Counter {
        Counter(AtomicU64::new(0))
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// As `add`, of a number that one thread counts.
    pub(crate) fn add_alone(&self, more: u64) {
        self.0.store(self.get() + more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What more than one thread counts.
pub(crate) struct Counters {
    pub(crate) requested: Counter,
    pub(crate) issued: Counter,
    pub(crate) coalesced: Counter,
    /// Calls that asked for a wake and got one. All others, which the host counts as it takes them, were
    /// coalesced.
    pub(crate) call_wakes: Counter,
    pub(crate) failed: Counter,
    pub(crate) rewoken: Counter,
    pub(crate) nested_wakes: Counter,
    pub(crate) turns: Counter,
    pub(crate) interrupts: Counter,
    pub(crate) interrupts_saved: Counter,
    pub(crate) returns: Counter,
    /// When the wake was requested that no turn has answered yet, or 0. Relaxed: for information.
    woken: AtomicU64,
}

impl Counters {
    pub(crate) fn new() -> Counters {
        Counters {
            requested: Counter::new(),
            issued: Counter::new(),
            coalesced: Counter::new(),
            call_wakes: Counter::new(),
            failed: Counter::new(),
            rewoken: Counter::new(),
            nested_wakes: Counter::new(),
            turns: Counter::new(),
            interrupts: Counter::new(),
            interrupts_saved: Counter::new(),
            returns: Counter::new(),
            woken: AtomicU64::new(0),
        }
    }

    pub(crate) fn woken_at(&self, now: Nanos) {
        self.woken.store(now, Ordering::Relaxed);
    }

    fn take_woken(&self) -> Option<Nanos> {
        let woken = self.woken.load(Ordering::Relaxed);
        (woken != 0).then(|| self.woken.store(0, Ordering::Relaxed))?;
        Some(woken)
    }
}

/// What the host thread counts.
pub(crate) struct HostCounters {
    pub(crate) leftover: Cell<u64>,
    pub(crate) budget_hits: Cell<u64>,
    pub(crate) nesting: Cell<u32>,
    pub(crate) events: Cell<u64>,
    pub(crate) stale: Cell<u64>,
    pub(crate) events_max: Cell<u64>,
    /// Events since the last turn took note of them.
    pub(crate) fresh: Cell<u64>,
    pub(crate) timers: Cell<u64>,
    pub(crate) calls: Cell<u64>,
    pub(crate) polls: Cell<u64>,
    wake_to_turn: RefCell<Histogram>,
}

/// Counts one more.
pub(crate) fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

impl HostCounters {
    pub(crate) fn new() -> HostCounters {
        HostCounters {
            leftover: Cell::new(0),
            budget_hits: Cell::new(0),
            nesting: Cell::new(0),
            events: Cell::new(0),
            stale: Cell::new(0),
            events_max: Cell::new(0),
            fresh: Cell::new(0),
            timers: Cell::new(0),
            calls: Cell::new(0),
            polls: Cell::new(0),
            wake_to_turn: RefCell::new(Histogram::new()),
        }
    }

    /// A turn begins, `depth` deep.
    pub(crate) fn turn(&self, shared: &Counters, now: Nanos, depth: u32) {
        shared.turns.add_alone(1);
        self.nesting.set(self.nesting.get().max(depth));
        if let Some(woken) = shared.take_woken() {
            self.wake_to_turn.borrow_mut().record(now.saturating_sub(woken));
        }
    }

    pub(crate) fn snapshot(&self, shared: &Counters) -> Stats {
        let calls_coalesced = self.calls.get().saturating_sub(shared.call_wakes.get());
        Stats {
            wakes_requested: shared.requested.get() + shared.call_wakes.get() + calls_coalesced,
            wakes_issued: shared.issued.get(),
            wakes_coalesced: shared.coalesced.get() + calls_coalesced,
            wakes_failed: shared.failed.get(),
            wakes_repeated: shared.rewoken.get(),
            wakes_nested: shared.nested_wakes.get(),
            wakes_leftover: self.leftover.get(),
            turns: shared.turns.get(),
            budget_hits: self.budget_hits.get(),
            nesting: self.nesting.get(),
            events: self.events.get(),
            stale_events: self.stale.get(),
            events_per_turn_max: self.events_max.get(),
            timers: self.timers.get(),
            calls: self.calls.get(),
            polls: self.polls.get(),
            interrupts: shared.interrupts.get(),
            interrupts_saved: shared.interrupts_saved.get(),
            worker_returns: shared.returns.get(),
            wake_to_turn: self.wake_to_turn.borrow().clone(),
        }
    }
}
