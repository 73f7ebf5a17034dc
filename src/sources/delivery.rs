//! What happens to a source, on its way to those who hear of it.

use std::rc::Rc;
use std::task::Waker;

use interloop_backends::{Event, Interest, Key, Readiness};

use super::Ready;
use super::entry::{Entry, Mark};
use super::object::Watched;
use crate::action::Action;
use crate::core::Core;
use crate::stats::count;
use crate::woken;

/// Who hears of what happened to a source.
enum Hears {
    /// Its callback, if it is armed for that and does not run already.
    Callback(Option<Rc<dyn Watched>>),
    /// Those who wait for its events, and the callback.
    Waiters(Rc<dyn Watched>),
}

impl Hears {
    fn new(entry: &mut Entry, readiness: Readiness) -> Hears {
        if entry.waited.is_none() {
            return Hears::Callback(entry.enter(readiness));
        }
        Hears::Waiters(Rc::clone(&entry.object))
    }
}

impl Core {
    /// Puts what a wait has reported in line. A source stands there once, however often it is reported; of one that
    /// remembers, only those whose wait is over do. False for what is nobody's.
    pub(crate) fn enqueue(&self, event: Event) -> bool {
        let (key, readiness) = match event {
            Event::Ready { key, readiness } => (key, readiness),
            Event::Released { key } => {
                self.ready.borrow_mut().push_back(Ready::Released(key));
                return true;
            }
        };
        let reported = self.sources.with(key, |entry| {
            if entry.is(Mark::Lost) {
                return None;
            }
            let Some(cache) = entry.object.cache() else {
                if entry.report(readiness) {
                    count(&self.counters.fresh);
                    self.ready.borrow_mut().push_back(Ready::Source(key));
                }
                return Some(false);
            };
            count(&self.counters.fresh);
            count(&self.counters.events);
            if let Some(waker) = cache.ready(readiness, |waker| self.wake_own(waker)) {
                self.ready.borrow_mut().push_back(Ready::Wake(waker));
            }
            if cache.is_crowded() {
                let others = std::iter::from_fn(|| cache.next_waker());
                self.ready.borrow_mut().extend(others.map(Ready::Wake));
            }
            let wanted = cache.tell();
            Some(entry.pass_on(readiness, wanted))
        });
        match reported.flatten() {
            Some(marked) => {
                if marked {
                    self.sources.dirty.borrow_mut().push_back(key);
                }
                true
            }
            None => {
                count(&self.counters.stale);
                false
            }
        }
    }

    /// Queues the task that a waker wakes, if it is one of ours: that runs nothing of the user's, and needs no
    /// place in line.
    fn wake_own(&self, waker: &Waker) -> bool {
        let task = woken::task_of(waker, &self.shared);
        task.is_some_and(|task| {
            self.tasks.wake(task);
            true
        })
    }

    /// Delivers what happened to a source.
    pub(crate) fn dispatch(self: &Rc<Core>, key: Key) {
        // What the backend is to hold is known when the callback has returned, if one is called.
        let taken = self.sources.with(key, |entry| {
            let readiness = entry.take_reported();
            self.doubt_level(entry);
            let hears = Hears::new(entry, readiness);
            let runs = matches!(hears, Hears::Callback(Some(_)) | Hears::Waiters(_));
            (readiness, hears, !runs && entry.mark())
        });
        let Some((readiness, hears, marked)) = taken else { return count(&self.counters.stale) };
        if marked {
            self.sources.dirty.borrow_mut().push_back(key);
        }
        match hears {
            Hears::Callback(Some(object)) => self.run_callback(key, object, readiness),
            Hears::Callback(None) => count(&self.counters.stale),
            Hears::Waiters(object) => {
                let woken = self.wake_waiters(key, &object, readiness);
                // Asked for when they have been woken: a waker is user code.
                match self.sources.with(key, |entry| entry.enter(readiness)).flatten() {
                    Some(object) => self.run_callback(key, object, readiness),
                    None => {
                        if !woken {
                            count(&self.counters.stale);
                        }
                        self.sources.change(key, |_| ());
                    }
                }
            }
        }
    }

    /// Wakes those who wait for this readiness, each with no borrow held. True when there were any.
    fn wake_waiters(&self, key: Key, object: &Rc<dyn Watched>, readiness: Readiness) -> bool {
        let Some(waiters) = object.waiters() else { return false };
        let mut woken = false;
        // Who waits again inside of its waker is none of these, and would be told for ever.
        for _ in 0..waiters.count(readiness) {
            let Some(waker) = waiters.answer(readiness) else { break };
            woken = true;
            self.sources.with(key, Entry::count_waiters);
            waker.into_iter().for_each(|waker| self.wake_user(waker));
        }
        woken
    }

    fn run_callback(self: &Rc<Core>, key: Key, object: Rc<dyn Watched>, readiness: Readiness) {
        count(&self.counters.events);
        let action = self.call_user(|core| core.sources.label(key), || object.call(readiness));
        let action = action.unwrap_or(Action::Remove);
        let marked = self.sources.with(key, |entry| {
            entry.leave(action);
            action != Action::Remove && entry.mark()
        });
        let Some(marked) = marked else { return self.drop_removed(object) };
        // The table has it too.
        drop(object);
        if marked {
            self.sources.dirty.borrow_mut().push_back(key);
        }
        if action == Action::Remove {
            self.remove_ended(key);
        }
    }

    /// Removes a source whose callback wants no more. What that captured is user code, and so is the object.
    #[cold]
    fn remove_ended(self: &Rc<Core>, key: Key) {
        self.call_user(|_| None, || self.remove_source(key));
    }

    /// Drops what is left of a source that was removed while its callback ran, and is user code.
    #[cold]
    fn drop_removed(&self, object: Rc<dyn Watched>) {
        self.call_user(
            |_| None,
            move || {
                object.drop_callback();
                drop(object);
            },
        );
    }

    /// Starts a wait for readiness, and returns its number. None when it would be in vain.
    pub(crate) fn add_waiter(self: &Rc<Core>, key: Key, interest: Interest) -> Option<u64> {
        self.change_source(key, |entry| entry.add_waiter(interest))?
    }

    /// What came for a waiter, which is over with it; None when the source is gone.
    pub(crate) fn poll_waiter(&self, key: Key, id: u64, waker: &Waker) -> Option<Readiness> {
        // Cloned before the borrow, and the old one dropped after it: wakers are user code.
        let mut waker = Some(waker.clone());
        self.sources.with(key, |entry| entry.object.waiters()?.poll(id, &mut waker))?
    }

    pub(crate) fn remove_waiter(self: &Rc<Core>, key: Key, id: u64) {
        let removed = self.change_source(key, |entry| {
            let removed = entry.object.waiters().and_then(|waiters| waiters.remove(id));
            entry.count_waiters();
            removed
        });
        drop(removed);
    }
}
