//! What leads to the host thread, and the one bit that says whether the host was told.
//!
//! Three queues: events from the thread that polls, calls and woken tasks from any thread. Every
//! producer follows one rule, and so does the host: signal after publish; clear, then drain.
//!
//! - producer: push; then `pending.swap(true)`; whoever turned it from false to true wakes;
//! - host: `pending.swap(false)`; then pop.
//!
//! A swap on both sides, never a load that skips, never a compare-exchange that may publish
//! nothing. docs/ordering.md has the proof, the loom models `inbox_*` check it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use interloop_backends::mailbox::Mailbox;
use interloop_backends::{Event, Key};

use crate::call::Call;
use crate::sync::{AtomicBool, Mutex, Ordering, Queue, lock};

pub(crate) struct Inbox {
    /// True from the push that needs a turn until the turn that sees it begins. Written by every
    /// producer (to true) and by the host thread (to false), by swap only: AcqRel makes all swaps
    /// one chain, so that the host's clear acquires every push whose producer found it set.
    pending: AtomicBool,
    /// True once no further call is taken. Written once, by the host thread, under `stranded`'s
    /// lock and before a swap of `pending`; a producer reads it after its own swap, so that it
    /// either comes before the close, which then drains its call, or sees the close.
    closed: AtomicBool,
    events: Mailbox<Event>,
    /// How many events have to wait before they are merged again. Written and read by whoever puts
    /// them, one thread at a time; it orders nothing, hence relaxed.
    merge_at: AtomicUsize,
    calls: Queue<Call>,
    tasks: Queue<Key>,
    /// Calls that came after the last drain, on their way back to their callers.
    stranded: Mutex<Vec<Call>>,
}

/// Whether a task is on its way through the inbox, so that it is pushed once, however often it is woken.
pub(crate) struct Underway {
    /// True from a foreign thread's wake until the host thread has popped the task, and for ever once that is
    /// over. Foreign threads swap it to true, before they push; the host thread swaps it to false, after it has
    /// popped and before it polls. AcqRel makes all swaps one chain: a wake that finds it true is followed by the
    /// host's swap, which acquires what came before the wake, for the poll. The loom model
    /// `inbox_polls_after_every_wake` covers it.
    flag: AtomicBool,
}

impl Underway {
    pub(crate) fn new() -> Underway {
        Underway { flag: AtomicBool::new(false) }
    }

    /// A foreign thread: has woken the task. True when it is to push it.
    fn begin(&self) -> bool {
        !self.flag.swap(true, Ordering::AcqRel)
    }

    /// The host thread: has popped the task.
    pub(crate) fn end(&self) {
        self.flag.swap(false, Ordering::AcqRel);
    }

    /// The host thread: the task is over, and need not be pushed again.
    pub(crate) fn silence(&self) {
        // A store, as nothing is to be acquired any more: one that does not see it pushes a key that finds nobody.
        self.flag.store(true, Ordering::Relaxed);
    }
}

/// How many events wait before those of one source are merged. Edge-triggered, a source that is written
/// to all the time has an event each time, however long the host is busy.
const MANY_EVENTS: usize = 4096;

/// Makes one event of all that a source had.
fn merge(events: &mut Vec<Event>) {
    let mut first = HashMap::new();
    let mut kept = 0;
    for at in 0..events.len() {
        if let Event::Ready { key, readiness } = events[at] {
            let place = *first.entry(key).or_insert(kept);
            if place < kept {
                if let Event::Ready { readiness: all, .. } = &mut events[place] {
                    *all |= readiness;
                }
                continue;
            }
        }
        events[kept] = events[at];
        kept += 1;
    }
    events.truncate(kept);
}

impl Inbox {
    pub(crate) fn new() -> Inbox {
        Inbox {
            pending: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            events: Mailbox::new(),
            merge_at: AtomicUsize::new(MANY_EVENTS),
            calls: Queue::new(),
            tasks: Queue::new(),
            stranded: Mutex::new(Vec::new()),
        }
    }

    /// Says that something was pushed. True when the caller has to wake the host.
    #[must_use]
    pub(crate) fn post(&self) -> bool {
        !self.pending.swap(true, Ordering::AcqRel)
    }

    /// Begins a turn: everything whose `post` came before is visible after it. False when there was no
    /// `post` since the last turn began: what that one has drained is all that there is.
    pub(crate) fn begin(&self) -> bool {
        self.pending.swap(false, Ordering::AcqRel)
    }

    /// True while a turn is owed. A hint for watchdogs: it may change at once.
    pub(crate) fn is_pending(&self) -> bool {
        self.pending.load(Ordering::Acquire)
    }

    /// Puts a poll's events; the caller posts.
    pub(crate) fn put_events(&self, events: &mut Vec<Event>) {
        self.events.put_and(events, |waiting| {
            if waiting.len() >= self.merge_at.load(Relaxed) {
                merge(waiting);
                self.merge_at.store((waiting.len() * 2).max(MANY_EVENTS), Relaxed);
            }
        });
    }

    /// Takes the events that were put.
    pub(crate) fn fetch_events(&self, take: impl FnMut(Event)) {
        self.events.fetch(take);
    }

    /// Pushes a task that a foreign thread woke, or the host thread while it ends. True when it was not underway already: then the caller
    /// posts.
    #[must_use]
    pub(crate) fn push_task(&self, task: Key, underway: &Underway) -> bool {
        let first = underway.begin();
        if first {
            self.tasks.push(task);
        }
        first
    }

    /// The host thread: takes a task, and says `end` of what is underway before it polls it.
    pub(crate) fn pop_task(&self) -> Option<Key> {
        self.tasks.pop()
    }

    pub(crate) fn has_no_task(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(crate) fn pop_call(&self) -> Option<Call> {
        self.calls.pop()
    }

    pub(crate) fn has_no_call(&self) -> bool {
        self.calls.is_empty()
    }

    /// True when no call and no foreign task waits.
    pub(crate) fn is_drained(&self) -> bool {
        self.has_no_call() && self.has_no_task()
    }

    /// Pushes a call and posts it. `Ok(true)` when the caller has to wake the host.
    ///
    /// # Errors
    ///
    /// The closure itself, when the inbox was closed: it did not run and will not.
    pub(crate) fn push_call<F: FnOnce() + Send + 'static>(&self, closure: F) -> Result<bool, F> {
        if self.closed.load(Ordering::Acquire) {
            return Err(closure);
        }
        // A place on this thread's stack tells this call from all that are on their way back at the
        // same time.
        let place = 0_u8;
        let sender = std::hint::black_box(std::ptr::from_ref(&place)).addr();
        self.calls.push(Call::new(closure, sender));
        let wake = self.post();
        if self.closed.load(Ordering::Acquire) {
            return self.take_back(sender).map_or(Ok(false), Err);
        }
        Ok(wake)
    }

    /// Closes the inbox for calls and returns those that were taken and have not run. From here
    /// on, no `post` asks for a wake.
    pub(crate) fn close(&self) -> Vec<Call> {
        let _stranded = lock(&self.stranded);
        self.closed.store(true, Ordering::Release);
        self.pending.swap(true, Ordering::AcqRel);
        std::iter::from_fn(|| self.calls.pop()).collect()
    }

    /// Finds the caller's own call among those that the close did not see. None when the close
    /// took it, so that it runs.
    fn take_back<F: FnOnce() + Send + 'static>(&self, own: usize) -> Option<F> {
        let mut stranded = lock(&self.stranded);
        stranded.extend(std::iter::from_fn(|| self.calls.pop()));
        let at = stranded.iter().position(|call| call.sender() == own)?;
        stranded.swap_remove(at).into_closure()
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use interloop_backends::Readiness;

    use super::*;

    #[test]
    fn a_source_that_is_always_ready_does_not_fill_the_inbox() {
        let inbox = Inbox::new();
        let ready = |slot, readiness| Event::Ready { key: Key::new(slot, 0), readiness };
        let last = Event::Released { key: Key::new(9, 0) };
        inbox.put_events(&mut vec![ready(1, Readiness::READABLE), last]);
        for _ in 0..100_000 {
            inbox.put_events(&mut vec![ready(1, Readiness::READABLE), ready(2, Readiness::ERROR)]);
        }
        inbox.put_events(&mut vec![ready(1, Readiness::HANG_UP)]);
        let mut events = Vec::new();
        inbox.fetch_events(|event| events.push(event));
        assert!(events.len() <= 2 * MANY_EVENTS, "{}", events.len());
        assert_eq!(events[0], ready(1, Readiness::READABLE));
        assert_eq!(events[1..].iter().filter(|event| **event == last).count(), 1);
        merge(&mut events);
        let both = Readiness::READABLE | Readiness::HANG_UP;
        assert_eq!(events, [ready(1, both), last, ready(2, Readiness::ERROR)]);
    }
}
