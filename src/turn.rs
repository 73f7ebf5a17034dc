//! One run on the host thread.
//!
//! In order: ready events, due timers, remote calls, tasks. When a budget ends the turn, the next
//! one begins with what comes after, so that no kind starves another; the host is woken for it
//! through its own queue, so that paint and input come first.

use std::iter;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::task::Waker;
use std::time::Duration;

use interloop_backends::{Event, Readiness};

use crate::clock::Nanos;
use crate::core::{CREDIT, Core, Drive};
use crate::label::Label;
use crate::local;
use crate::rest::Rest;
use crate::run::LOOK_EVERY;
use crate::sources::Ready;
use crate::stats::count;
use crate::timers::Due;

/// What a turn may still do.
struct Budget {
    items: usize,
    until: Nanos,
    /// The first timer that was not set when the turn began, by its sequence.
    unset: u32,
}

impl Budget {
    /// True too in a child that a callback has forked: what is left is for its parent.
    fn is_spent(&self, core: &Core) -> bool {
        self.items == 0 || core.now.get() >= self.until || !core.shared.process.is_current()
    }

    /// Takes one item, if the budget still has one.
    fn take(&mut self, core: &Core) -> bool {
        let spent = self.is_spent(core);
        self.items -= usize::from(!spent);
        !spent
    }
}

/// Keeps count of the turns on the stack, through a panic too.
struct Depth<'a>(&'a Core);

impl Drop for Depth<'_> {
    fn drop(&mut self) {
        self.0.depth.set(self.0.depth.get() - 1);
    }
}

const PHASES: usize = 4;

impl Core {
    /// Runs a turn, and then lets the first panic of a callback go on, if this is the outermost
    /// turn: in a nested one it would unwind a callback that did nothing wrong.
    pub(crate) fn turn(self: &Rc<Core>) {
        self.quiet_turn();
        // A destructor that turns while this thread unwinds must not panic on top of that.
        if self.depth.get() == 0 && !std::thread::panicking() {
            let panic = self.panics.borrow_mut().pop_front();
            if let Some(panic) = panic {
                // Each further one needs a turn of its own.
                if !self.panics.borrow().is_empty() {
                    self.shared.wake();
                }
                std::panic::resume_unwind(panic);
            }
        }
    }

    /// Runs a turn, and leaves panics where they are.
    pub(crate) fn quiet_turn(self: &Rc<Core>) {
        if !self.shared.process.is_current() || self.shared.is_over() {
            return;
        }
        if self.drive.get() == Drive::Embedded {
            self.poll_embedded();
        }
        #[cfg(feature = "tracing")]
        let _span = tracing::trace_span!(target: "interloop", "turn").entered();
        if self.shared.inbox.begin() {
            self.posted.set(true);
        }
        let now = if self.fresh.take() { self.now.get() } else { self.start_clock() };
        self.depth.set(self.depth.get() + 1);
        let depth = Depth(self);
        let turning = local::turning(self);
        self.counters.turn(&self.shared.counters, now, self.depth.get());
        self.collect();
        let until = now.saturating_add(self.turn_time);
        let unset = self.timers.borrow().next_sequence();
        let mut budget = Budget { items: self.shared.options.turn_items, until, unset };
        let complete = self.phases(&mut budget) && self.rounds(now, &mut budget);
        self.advance_shutdown();
        // Some of that may have forked. What is left of the turn in the child is its parent's, and it shares the set.
        if !self.shared.process.is_current() {
            return;
        }
        self.unwatch();
        if !self.timers.borrow().is_idle() {
            self.catch_up();
        }
        let has_ready = !self.ready.borrow().is_empty();
        self.flush();
        let is_left_over = !complete || has_ready || self.owes_more();
        let owes_a_turn = is_left_over || !self.ready.borrow().is_empty();
        self.poll_for_the_worker();
        drop(turning);
        drop(depth);
        if owes_a_turn {
            let before = self.counters.leftover.get();
            self.counters.leftover.set(before + u64::from(is_left_over));
            self.ask_for_a_turn();
        }
    }

    /// Looks for what has come meanwhile, where the worker rests. What is found is for the next turn.
    fn poll_for_the_worker(self: &Rc<Core>) {
        let shared = &self.shared;
        if !shared.rest.claim() {
            return;
        }
        /// Gives the claim back, though a backend of the user's panics.
        struct Claimed<'a>(&'a Rest, bool);
        impl Drop for Claimed<'_> {
            fn drop(&mut self) {
                self.0.release(self.1);
            }
        }
        let mut claimed = Claimed(&shared.rest, false);
        claimed.1 = self.poll(Some(Duration::ZERO));
        let found = claimed.1;
        drop(claimed);
        if !found {
            shared.worker.end_pause();
        }
        // The sources are to hear of a failure.
        if found || shared.worker.has_failed() {
            shared.wake();
        }
    }

    /// Fetches what the inbox has.
    fn collect(&self) {
        if self.posted.get() {
            self.shared.inbox.fetch_events(|event| {
                self.enqueue(event);
            });
        }
        if self.shared.worker.has_failed() && !self.failure_told.replace(true) {
            for key in self.sources.keys() {
                self.enqueue(Event::Ready { key, readiness: Readiness::INVALID });
            }
        }
        let events = self.counters.fresh.take();
        self.counters.events_max.set(self.counters.events_max.get().max(events));
    }

    /// False when the budget ended the turn.
    fn phases(self: &Rc<Core>, budget: &mut Budget) -> bool {
        let first = self.first_phase.replace(0);
        for phase in (first..first + PHASES).map(|phase| phase % PHASES) {
            if !self.has_any(phase) {
                continue;
            }
            let begins = !budget.is_spent(self);
            let complete = match phase {
                0 => self.run_events(budget),
                1 => self.run_timers(budget),
                2 => self.run_calls(budget),
                _ => self.run_tasks(budget),
            };
            if !complete {
                // One that found the budget spent has run nothing, and comes first next time.
                self.first_phase.set((phase + usize::from(begins)) % PHASES);
                count(&self.counters.budget_hits);
                return false;
            }
        }
        // What was pushed since this turn began is posted too, for the next.
        self.posted.set(false);
        true
    }

    /// False when a phase would find nothing.
    #[inline]
    fn has_any(&self, phase: usize) -> bool {
        match phase {
            0 => !self.ready.borrow().is_empty(),
            1 => !self.timers.borrow().is_idle(),
            2 => self.posted.get() || !self.last_calls.borrow().is_empty(),
            _ => self.posted.get() || !self.tasks.is_quiet(),
        }
    }

    /// Polls tasks that yield again and again, each round as a turn of its own, while the reactor's own loop has
    /// nothing else to do, and until it is to look into the backend. False when the budget ended it.
    fn rounds(self: &Rc<Core>, began: Nanos, budget: &mut Budget) -> bool {
        let until = began.saturating_add(LOOK_EVERY);
        while self.has_only_yielded() && self.now.get() < until {
            self.shared.counters.turns.add_alone(1);
            if !self.run_tasks(budget) {
                count(&self.counters.budget_hits);
                return false;
            }
        }
        true
    }

    /// True when there are tasks that yielded, and the turn that comes next would find nothing but them.
    fn has_only_yielded(&self) -> bool {
        self.drive.get() == Drive::Running
            && self.depth.get() == 1
            && !self.tasks.is_idle()
            && self.ready.borrow().is_empty()
            && !self.sources.is_dirty()
            && self.panics.borrow().is_empty()
            && !self.shared.inbox.is_pending()
            && !self.shared.is_stopping()
            && self.shared.process.is_current()
            && self.timers.borrow_mut().earliest().is_none_or(|due| due > self.now.get())
    }

    fn run_events(self: &Rc<Core>, budget: &mut Budget) -> bool {
        loop {
            if budget.is_spent(self) {
                return self.ready.borrow().is_empty();
            }
            let next = self.ready.borrow_mut().pop_front();
            match next {
                None => return true,
                Some(Ready::Source(key)) => self.dispatch(key),
                Some(Ready::Wake(waker)) => self.wake_user(waker),
                Some(Ready::Released(key)) => self.drop_user(self.sources.release(key)),
            }
            budget.items -= 1;
        }
    }

    /// Runs the timers that are due, but none that was set in this turn.
    fn run_timers(self: &Rc<Core>, budget: &mut Budget) -> bool {
        // A waker that has opened a host loop keeps the others waiting in the turn that is beneath it.
        self.wake_sleeps();
        let now = self.now.get();
        while !budget.is_spent(self) {
            let due = self.timers.borrow_mut().pop_due(now, budget.unset, budget.items);
            let Some(due) = due else { return true };
            let fired = if let Due::Sleeps(fired) = due { fired } else { 1 };
            budget.items -= fired;
            self.counters.timers.set(self.counters.timers.get() + fired as u64);
            self.fire(due, now);
        }
        !self.timers.borrow_mut().is_due(now, budget.unset)
    }

    fn fire(&self, due: Due, now: Nanos) {
        match due {
            Due::Once(callback, label) => {
                self.call_user(|_| Some(label), || callback.call());
            }
            Due::Every(key, mut callback) => {
                let label = |core: &Core| core.timers.borrow_mut().label(key);
                let flow = self.call_user(label, &mut callback);
                let again = flow.is_some_and(|flow| flow.is_continue());
                // What the callback captured is dropped here, with no borrow held.
                let rest = self.timers.borrow_mut().again(key, callback, again, now);
                self.drop_user(rest);
            }
            Due::Sleeps(_) => self.wake_sleeps(),
        }
    }

    /// Wakes those whose sleep is over.
    fn wake_sleeps(&self) {
        let next = || self.timers.borrow_mut().pop_over();
        // After one that panicked come the others.
        while let Err(panic) =
            catch_unwind(AssertUnwindSafe(|| iter::from_fn(next).for_each(Waker::wake)))
        {
            self.panics.borrow_mut().push_back(panic);
        }
    }

    fn run_calls(self: &Rc<Core>, budget: &mut Budget) -> bool {
        let posted = || if self.posted.get() { self.shared.inbox.pop_call() } else { None };
        while !budget.is_spent(self) {
            let last = self.last_calls.borrow_mut().pop_front();
            let Some(call) = last.or_else(posted) else { return true };
            budget.take(self);
            count(&self.counters.calls);
            self.call_user(|_| Some(Label::named("a remote call")), move || call.run());
        }
        self.last_calls.borrow().is_empty() && self.shared.inbox.has_no_call()
    }

    fn run_tasks(self: &Rc<Core>, budget: &mut Budget) -> bool {
        let has_all = self.fetch_tasks();
        while !budget.is_spent(self) {
            let Some(task) = self.tasks.pop() else {
                // Between two polls of one that yields come the host, and all that is ready.
                self.tasks.promote();
                return has_all;
            };
            budget.items -= 1;
            count(&self.counters.polls);
            self.credit.set(CREDIT);
            self.call_user(|_| Some(task.label.borrow().clone()), || self.poll_task(&task));
        }
        self.tasks.promote();
        has_all && self.tasks.is_idle()
    }

    /// Queues the tasks that other threads have woken. False where there are more: those threads may wake one again
    /// as soon as it is taken out, for ever, and are not waited for.
    fn fetch_tasks(&self) -> bool {
        /// How many of tasks that are over there may be in one turn.
        const LATE: usize = 64;
        // In a forked child, one whose push was under way never comes, and would be waited for.
        if !self.posted.get() || !self.shared.process.is_current() {
            return true;
        }
        for _ in 0..self.tasks.count() + LATE {
            let Some(key) = self.shared.inbox.pop_task() else { return true };
            self.tasks.arrive(key);
        }
        self.shared.inbox.has_no_task()
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use interloop_backends::Key;

    use crate::Reactor;
    use crate::inbox::Underway;

    #[test]
    fn a_flood_of_foreign_wakes_is_taken_in_over_several_turns() {
        let reactor = Reactor::new().unwrap();
        let core = reactor.core();
        let inbox = &core.shared.inbox;
        for slot in 0..1_000 {
            assert!(inbox.push_task(Key::new(slot, 7), &Underway::new()));
        }
        core.shared.wake();
        let mut turns = 0;
        while inbox.is_pending() || !inbox.has_no_task() {
            assert!(inbox.is_pending(), "nobody is told of what is left");
            reactor.turn();
            turns += 1;
        }
        assert!((2..100).contains(&turns), "{turns}");
        assert!(!core.posted.get());
    }
}
