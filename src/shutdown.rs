//! The orderly end of a reactor, one stage after the other, over as many turns as it takes.
//!
//! `Before` triggers run with I/O and timers alive; then sources and timers close; `During`; then
//! the tasks are cancelled; `After`; then the inbox closes, what it still holds runs, and the
//! worker ends. A stage is left when its last trigger is gone, however it went, and no closure
//! is on the thread pool.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use interloop_backends::Key;

use crate::core::{Core, Drive};
use crate::label::Label;
use crate::local;
use crate::report::Report;
use crate::slots::Slots;
use crate::stats::count;
use crate::stopped::End;
use crate::task::Task;

/// When a shutdown trigger runs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Phase {
    /// First, with sources, timers and tasks alive: say goodbye, flush, finish what runs.
    Before,
    /// When sources and timers have closed.
    During,
    /// When the tasks are gone too: quit the host.
    After,
}

/// How far the shutdown has come.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Stage {
    Alive,
    Triggers(Phase),
    Over,
}

pub(crate) type TriggerFuture = Pin<Box<dyn Future<Output = Result<(), String>>>>;

pub(crate) struct Shutdown {
    stage: Cell<Stage>,
    triggers: RefCell<Slots<Entry>>,
    /// Triggers that ended with an error, for the report of `finish`.
    failures: RefCell<Vec<String>>,
}

struct Entry {
    phase: Phase,
    label: Label,
    state: State,
}

enum State {
    Waiting(TriggerFuture),
    Starting,
    Running { task: Task<()> },
}

impl Shutdown {
    pub(crate) fn new() -> Shutdown {
        Shutdown {
            stage: Cell::new(Stage::Alive),
            triggers: RefCell::new(Slots::new()),
            failures: RefCell::new(Vec::new()),
        }
    }

    pub(crate) fn stage(&self) -> Stage {
        self.stage.get()
    }

    /// True when a turn would bring the shutdown on.
    pub(crate) fn is_due(&self, stopping: bool, is_pool_busy: impl FnOnce() -> bool) -> bool {
        match self.stage.get() {
            Stage::Alive => stopping,
            Stage::Triggers(phase) => {
                let triggers = self.triggers.borrow();
                let mut of_phase = triggers.iter().filter(|(_, entry)| entry.phase == phase);
                let is_waiting = |state: &State| matches!(state, State::Waiting(_));
                // Either all have ended, or one was added that nobody has started yet.
                match of_phase.next() {
                    None => !is_pool_busy(),
                    Some((_, first)) => {
                        is_waiting(&first.state)
                            || of_phase.any(|(_, entry)| is_waiting(&entry.state))
                    }
                }
            }
            Stage::Over => false,
        }
    }

    /// Adds a trigger.
    ///
    /// # Errors
    ///
    /// The future, when its phase is past.
    pub(crate) fn add(
        &self,
        phase: Phase,
        label: Label,
        future: TriggerFuture,
    ) -> Result<Key, TriggerFuture> {
        if self.stage.get() > Stage::Triggers(phase) {
            return Err(future);
        }
        let state = State::Waiting(future);
        Ok(self.triggers.borrow_mut().insert(Entry { phase, label, state }))
    }

    pub(crate) fn set_label(&self, key: Key, label: Label) {
        if let Some(entry) = self.triggers.borrow_mut().get_mut(key) {
            entry.label = label;
        }
    }

    pub(crate) fn is_pending(&self, key: Key) -> bool {
        self.triggers.borrow_mut().get_mut(key).is_some()
    }

    /// The triggers that have not ended, with their phases.
    pub(crate) fn see(&self) -> Vec<(Phase, Label)> {
        let triggers = self.triggers.borrow();
        triggers.iter().map(|(_, entry)| (entry.phase, entry.label.clone())).collect()
    }

    /// The tasks of the triggers that run.
    pub(crate) fn tasks(&self) -> Vec<Key> {
        let triggers = self.triggers.borrow();
        let running = triggers.iter().filter_map(|(_, entry)| match &entry.state {
            State::Running { task } => Some(task.key()),
            State::Waiting(_) | State::Starting => None,
        });
        running.collect()
    }

    pub(crate) fn take_failures(&self) -> Vec<String> {
        self.failures.take()
    }

    fn keys(&self, phase: Phase) -> Vec<Key> {
        let triggers = self.triggers.borrow();
        triggers.iter().filter(|(_, entry)| entry.phase == phase).map(|(key, _)| key).collect()
    }
}

impl Core {
    /// Takes the shutdown as far as it goes without waiting. In a forked child, nowhere: it is its parent's.
    pub(crate) fn advance_shutdown(self: &Rc<Core>) {
        while self.shared.process.is_current() {
            let stage = self.shutdown.stage();
            match stage {
                Stage::Alive if self.shared.is_stopping() => {
                    self.shutdown.stage.set(Stage::Triggers(Phase::Before));
                }
                Stage::Alive | Stage::Over => return,
                Stage::Triggers(phase) => {
                    self.start_triggers(phase);
                    if !self.shutdown.keys(phase).is_empty() || self.is_pool_busy() {
                        return;
                    }
                    self.leave_phase(phase);
                }
            }
        }
    }

    fn leave_phase(self: &Rc<Core>, phase: Phase) {
        match phase {
            Phase::Before => {
                self.shutdown.stage.set(Stage::Triggers(Phase::During));
                self.close_sources();
                self.close_timers();
            }
            Phase::During => {
                self.shutdown.stage.set(Stage::Triggers(Phase::After));
                self.cancel_tasks();
            }
            Phase::After => self.end(true),
        }
    }

    fn start_triggers(self: &Rc<Core>, phase: Phase) {
        for key in self.shutdown.keys(phase) {
            let started = {
                let mut triggers = self.shutdown.triggers.borrow_mut();
                triggers.get_mut(key).and_then(|entry| {
                    match std::mem::replace(&mut entry.state, State::Starting) {
                        State::Waiting(future) => Some((future, entry.label.clone())),
                        running => {
                            entry.state = running;
                            None
                        }
                    }
                })
            };
            let Some((future, label)) = started else { continue };
            let ending = Ending { core: Rc::clone(self), key };
            let name = label.clone();
            let task = self.spawn(run_trigger(future, ending, name), label);
            if let Some(entry) = self.shutdown.triggers.borrow_mut().get_mut(key) {
                entry.state = State::Running { task };
            }
        }
    }

    /// Takes a trigger out, whether it waits or runs.
    pub(crate) fn remove_trigger(self: &Rc<Core>, key: Key) {
        let removed = self.shutdown.triggers.borrow_mut().remove(key);
        let was_there = removed.is_some();
        drop(removed);
        if was_there && self.shutdown.stage() != Stage::Alive {
            self.settle();
        }
    }

    /// Drops all timers and takes no more. Who sleeps wakes up.
    pub(crate) fn close_timers(self: &Rc<Core>) {
        let timers = self.timers.borrow_mut().close();
        self.end_each(timers, |(_, timer)| {
            timer.into_waker().into_iter().for_each(std::task::Waker::wake);
        });
    }

    /// Runs `end`, which is user code, on each of `ending`. A child that one of them has forked leaves the rest as it is,
    /// for its parent.
    pub(crate) fn end_each<T>(&self, ending: impl IntoIterator<Item = T>, end: impl Fn(T)) {
        let mut ending = ending.into_iter();
        while self.shared.process.is_current() {
            let Some(next) = ending.next() else { return };
            self.call_user(|_| None, || end(next));
        }
        std::mem::forget(ending);
    }

    /// The end: in order, it runs the calls that were posted before; otherwise it drops them. Then
    /// everything goes that is left, and the worker is told to end. A child that one of the calls has forked
    /// leaves the others, and all that, to its parent.
    pub(crate) fn end(self: &Rc<Core>, orderly: bool) {
        self.shutdown.stage.set(Stage::Over);
        // Kept in the core: a call may run a nested host loop that waits for another one.
        self.last_calls.borrow_mut().extend(self.shared.inbox.close());
        // The close has marked a turn as pending that nobody was woken for: that loop is to be. What was
        // posted before it is not drained, and its tick is under way.
        self.shared.inbox.begin();
        self.posted.set(true);
        while self.shared.process.is_current() {
            let next = self.last_calls.borrow_mut().pop_front();
            let Some(call) = next else { return self.close(orderly) };
            if orderly {
                count(&self.counters.calls);
                self.call_user(|_| None, move || call.run());
            } else {
                self.call_user(|_| None, move || drop(call));
            }
        }
    }

    /// Closes all that is left, and ends the worker.
    fn close(self: &Rc<Core>, orderly: bool) {
        self.close_sources();
        self.close_timers();
        let triggers = self.shutdown.triggers.borrow_mut().drain();
        self.end_each(triggers, drop);
        self.close_tasks();
        #[cfg(feature = "net")]
        self.drop_resolver();
        self.end_each(self.ready.take(), drop);
        // A destructor may have forked: the worker is the parent's, and a lock may be held by a thread that the
        // child has not got.
        if !self.shared.process.is_current() {
            return;
        }
        let _reaches = Reaches(&self.shared.end);
        // No call of the waker begins from here on; one that runs may need this very thread to end.
        let _may_still_run = self.close_waker(Instant::now());
        let notify = self.shared.park.exit();
        self.shared.notify_if(notify);
        // `finish`, and the drop of the reactor, have their own patience.
        if orderly && self.drive.get() == Drive::Interleaved && !self.is_waker_busy() {
            self.join_worker(JOIN_LIMIT);
        }
    }

    /// The host's waker is not called again, and goes. What it has captured is the user's.
    ///
    /// # Errors
    ///
    /// `TimedOut` when it still runs at the limit.
    pub(crate) fn close_waker(&self, limit: Instant) -> io::Result<()> {
        let closed = self.call_user(|_| None, || self.shared.proxy.close(limit));
        // Only a waker that nobody is inside of has panicked there.
        closed.unwrap_or(Ok(()))
    }

    /// Waits until the worker has ended, at most for `limit`, and closes what it held on to. False
    /// when it has not ended.
    pub(crate) fn join_worker(&self, limit: Duration) -> bool {
        let Some(worker) = self.worker.take() else {
            self.empty_limbo();
            return true;
        };
        let ended = self.shared.worker.wait(Instant::now() + limit);
        if ended {
            let _panicked = worker.join();
            self.empty_limbo();
        } else {
            self.worker.replace(Some(worker));
        }
        ended
    }

    /// True when the worker is inside the host's waker, which may wait for this thread.
    pub(crate) fn is_waker_busy(&self) -> bool {
        self.shared.proxy.caller().is_some_and(|caller| self.shared.worker.is(caller))
    }

    /// True when the worker may be looking at what is registered.
    pub(crate) fn is_worker_waiting(&self) -> bool {
        self.worker.borrow().is_some() && !self.shared.worker.has_failed()
    }

    /// The last of a reactor, when its owner lets it go.
    pub(crate) fn tear_down(self: &Rc<Core>) {
        // Tasks that are woken meanwhile are queued as ever: whoever wakes may hold a lock that the end of a
        // future asks for, so that none is dropped inside of a wake.
        if self.shared.process.is_current() && self.shutdown.stage() != Stage::Over {
            self.end(false);
        }
        local::leave(self.shared.id);
        // It has come here by a fork, or one of those destructors has forked.
        if !self.shared.process.is_current() {
            return self.leave_to_the_parent();
        }
        // An end that is on the stack, and runs its calls, has not come to this yet.
        let notify = self.shared.park.exit();
        self.shared.notify_if(notify);
        let closed = self.close_waker(Instant::now() + WAKER_LIMIT);
        let limit = if self.is_waker_busy() { Duration::ZERO } else { JOIN_LIMIT };
        let worker = self.join_worker(limit);
        if !worker {
            let inside =
                if self.is_waker_busy() { "the host's waker" } else { "a report or a wait" };
            let what = &format!("the worker thread is left inside {inside}, which does not return");
            self.shared.report(&Report::Unfinished(what));
            if self.is_waker_busy() {
                // It polls once more, and takes the deletions first: what it held on to can be closed.
                self.empty_limbo();
            } else {
                // It may be polling: what it holds on to must stay open. An end that is on the stack may not have
                // come to the others.
                self.close_sources();
                self.sources.leak();
            }
        } else if closed.is_err() {
            let what = "a call of the host's waker did not return while the reactor was dropped";
            self.shared.report(&Report::Unfinished(what));
        }
    }

    /// The last of a reactor in a forked child: the worker is the parent's, and so is what the backend watches.
    fn leave_to_the_parent(&self) {
        std::mem::forget(self.worker.take());
        self.tasks.abandon();
        // Closing a poller may take its own descriptors out of the set that both share.
        std::mem::forget(Arc::clone(&self.shared.poller));
        self.shutdown.stage.set(Stage::Over);
        self.shared.end.reach_unheard();
    }
}

/// How long a worker that was told to end may take.
pub(crate) const JOIN_LIMIT: Duration = Duration::from_secs(5);
/// How long a dropped reactor waits for the host's waker to return.
const WAKER_LIMIT: Duration = Duration::from_millis(40);

/// Reaches the end, also when a backend of the user's panics on the way: who waits for it would wait for ever.
struct Reaches<'a>(&'a End);

impl Drop for Reaches<'_> {
    fn drop(&mut self) {
        self.0.reach();
    }
}

async fn run_trigger(future: TriggerFuture, ending: Ending, label: Label) {
    if let Err(error) = future.await {
        let label = label.to_string();
        let core = &ending.core;
        core.shared.report(&Report::TriggerFailed { label: &label, error: &error });
        core.shutdown.failures.borrow_mut().push(format!("{label}: {error}"));
    }
}

/// Takes a trigger off the list when its task ends, however that comes.
struct Ending {
    core: Rc<Core>,
    key: Key,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let entry = self.core.shutdown.triggers.borrow_mut().remove(self.key);
        // The entry owns the task that is ending: nobody is left to cancel it, or to await it.
        if let Some(Entry { state: State::Running { task }, .. }) = entry {
            task.detach();
        }
    }
}

impl fmt::Debug for Shutdown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shutdown").field("stage", &self.stage.get()).finish()
    }
}
