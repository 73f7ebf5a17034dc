//! A scripted backend without system calls, for tests.
//!
//! ```
//! use std::sync::Arc;
//! use std::time::Duration;
//!
//! use interloop_backends::fake::Fake;
//! use interloop_backends::{Event, Interest, Key, Mode, Poller, Readiness};
//!
//! let fake = Fake::new();
//! let poller: Arc<dyn Poller> = fake.clone();
//! # #[cfg(unix)] {
//! let (key, input) = (Key::new(0, 0), std::io::stdin());
//! poller.add(std::os::fd::AsFd::as_fd(&input), key, Interest::READABLE, Mode::Oneshot)?;
//! fake.ready(key, Readiness::READABLE);
//!
//! let mut events = Vec::new();
//! poller.wait(&mut events, None)?;
//! assert_eq!(events, [Event::Ready { key, readiness: Readiness::READABLE }]);
//! # }
//! # std::io::Result::Ok(())
//! ```

#[cfg(all(test, unix))]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::{
    AsSource, BackendKind, BorrowedSource, Event, Interest, Key, Mode, Poller, Readiness, Release,
    source_number,
};

/// A [`Poller`] that asks no operating system: what happens is what the test says.
///
/// It is shared between the test, which scripts, and the reactor under test, which uses it as its
/// backend. Every method may be called from every thread. Descriptors are known by their number
/// and never touched.
#[derive(Debug, Default)]
pub struct Fake {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    registered: BTreeMap<Key, Registration>,
    /// What the next waits fail with.
    failures: VecDeque<io::Error>,
    /// What the next registrations are refused with.
    refusals: VecDeque<io::Error>,
    notified: bool,
    /// A thread is in `wait`.
    waiting: bool,
    /// A thread is blocked in `wait`: nothing is ready for it.
    blocked: bool,
    counts: Counts,
}

/// What a [`Fake`] knows of a registration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Registration {
    /// The number of its descriptor or socket.
    pub source: u64,
    /// What it is armed for; [`Interest::NONE`] when it is disarmed.
    pub armed: Interest,
    /// How often it is reported.
    pub mode: Mode,
    /// What the test said of it, and no wait has reported yet.
    pub readiness: Readiness,
}

/// How often each method of the [`Poller`] was called.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Calls of `add`, refused ones included.
    pub adds: u64,
    /// Calls of `modify`.
    pub modifies: u64,
    /// Calls of `delete`.
    pub deletes: u64,
    /// Calls of `wait`.
    pub waits: u64,
    /// Calls of `notify`.
    pub notifies: u64,
}

impl Fake {
    /// Makes one in which nothing is registered.
    pub fn new() -> Arc<Fake> {
        Arc::default()
    }

    /// Makes the registration ready. The wait that runs, or the next one, reports it as soon as it
    /// is armed for that; hang-ups, errors and an invalid descriptor as soon as it is armed at
    /// all. What is reported has to be said again to happen again.
    ///
    /// # Panics
    ///
    /// Where `key` is not registered.
    pub fn ready(&self, key: Key, readiness: Readiness) {
        let mut state = self.state();
        let registration = state.registered.get_mut(&key);
        registration.unwrap_or_else(|| panic!("{key:?} is not registered")).readiness |= readiness;
        self.changed.notify_all();
    }

    /// As [`ready`](Fake::ready), for who knows the object and not its key.
    ///
    /// # Panics
    ///
    /// Where `source` is not registered.
    pub fn source_ready(&self, source: &impl AsSource, readiness: Readiness) {
        let number = source_number(source.as_source());
        let key = self.key_of(source);
        self.ready(key.unwrap_or_else(|| panic!("fd {number} is not registered")), readiness);
    }

    /// The key that `source` is registered under.
    pub fn key_of(&self, source: &impl AsSource) -> Option<Key> {
        let number = source_number(source.as_source());
        let state = self.state();
        let mut registered = state.registered.iter();
        registered.find(|(_, found)| found.source == number).map(|(key, _)| *key)
    }

    /// Lets the wait that runs, or the next one, fail with `error`. Several are kept in order.
    pub fn fail_wait(&self, error: io::Error) {
        self.state().failures.push_back(error);
        self.changed.notify_all();
    }

    /// Refuses the next `add` with `error`. Several are kept in order.
    pub fn refuse_add(&self, error: io::Error) {
        self.state().refusals.push_back(error);
    }

    /// What is registered, by key.
    pub fn registered(&self) -> Vec<(Key, Registration)> {
        self.state().registered.iter().map(|(key, found)| (*key, *found)).collect()
    }

    /// How often each method was called.
    pub fn counts(&self) -> Counts {
        self.state().counts
    }

    /// True while a thread is blocked in `wait`: nothing is left for it to report.
    pub fn is_blocked(&self) -> bool {
        self.state().blocked
    }

    /// Waits until a thread is blocked in `wait`. False when `limit` has passed before.
    #[must_use = "it may have given up"]
    pub fn wait_until_blocked(&self, limit: Duration) -> bool {
        let waiting = |state: &mut State| !state.blocked;
        let result = self.changed.wait_timeout_while(self.state(), limit, waiting);
        let (state, _) = result.unwrap_or_else(PoisonError::into_inner);
        state.blocked
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Moves what is ready and armed to `events`. True if that ends the wait.
    fn collect(&mut self, events: &mut Vec<Event>) -> bool {
        let mut ended = std::mem::take(&mut self.notified);
        for (key, found) in &mut self.registered {
            if found.readiness.answers(found.armed).is_none() {
                continue;
            }
            events.push(Event::Ready { key: *key, readiness: found.readiness });
            found.readiness = Readiness::NONE;
            if found.mode == Mode::Oneshot {
                found.armed = Interest::NONE;
            }
            ended = true;
        }
        ended
    }
}

impl Poller for Fake {
    fn kind(&self) -> BackendKind {
        BackendKind::Fake
    }

    fn add(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        let mut state = self.state();
        state.counts.adds += 1;
        if let Some(error) = state.refusals.pop_front() {
            return Err(error);
        }
        let source = source_number(source);
        if state.registered.values().any(|found| found.source == source) {
            let message = format!("fake backend: fd {source} is already registered");
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, message));
        }
        let found = Registration { source, armed: interest, mode, readiness: Readiness::NONE };
        state.registered.insert(key, found);
        self.changed.notify_all();
        Ok(())
    }

    fn modify(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        let mut state = self.state();
        state.counts.modifies += 1;
        let Some(found) = state.registered.get_mut(&key) else {
            let message = format!("fake backend: fd {} is not registered", source_number(source));
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        };
        (found.armed, found.mode) = (interest, mode);
        self.changed.notify_all();
        Ok(())
    }

    fn delete(&self, _source: BorrowedSource<'_>, key: Key) -> Release {
        let mut state = self.state();
        state.counts.deletes += 1;
        state.registered.remove(&key);
        self.changed.notify_all();
        Release::Now
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.state();
        state.counts.waits += 1;
        if std::mem::replace(&mut state.waiting, true) {
            let message = "fake backend: another thread is waiting, and one at a time may";
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
        }
        let result = loop {
            if let Some(error) = state.failures.pop_front() {
                break Err(error);
            }
            if state.collect(events) {
                break Ok(());
            }
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                break Ok(());
            }
            state.blocked = true;
            self.changed.notify_all();
            state = match left {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(left) => {
                    let result = self.changed.wait_timeout(state, left);
                    result.unwrap_or_else(PoisonError::into_inner).0
                }
            };
            state.blocked = false;
        };
        state.waiting = false;
        result
    }

    fn notify(&self) -> io::Result<()> {
        let mut state = self.state();
        state.counts.notifies += 1;
        state.notified = true;
        self.changed.notify_all();
        Ok(())
    }

    fn applies_at_once(&self) -> bool {
        true
    }

    fn has_edges(&self) -> bool {
        true
    }

    fn has_levels(&self) -> bool {
        true
    }
}
