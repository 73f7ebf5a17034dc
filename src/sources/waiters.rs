//! Futures that wait for the next event of a source.

use std::cell::RefCell;
use std::task::Waker;

use interloop_backends::{Interest, Readiness};

/// Those who wait for a source, once each.
pub(crate) struct Waiters {
    /// None until somebody has waited: most sources have a callback, and no use for it.
    list: RefCell<Option<Box<List>>>,
}

#[derive(Default)]
struct List {
    waiters: Vec<Waiter>,
}

struct Waiter {
    id: u64,
    interest: Interest,
    /// What came; the waiter waits while this is nothing.
    came: Readiness,
    waker: Option<Waker>,
}

impl Waiter {
    /// True where this ends the wait.
    fn hears(&self, readiness: Readiness) -> bool {
        self.came.is_none() && !readiness.answers(self.interest).is_none()
    }
}

impl Waiters {
    pub(super) fn new() -> Waiters {
        Waiters { list: RefCell::new(None) }
    }

    fn with<R>(&self, look: impl FnOnce(&mut Vec<Waiter>) -> R) -> R {
        look(&mut self.list.borrow_mut().get_or_insert_default().waiters)
    }

    /// Lets one more wait, and returns its number.
    pub(super) fn add(&self, interest: Interest) -> u64 {
        self.with(|waiters| {
            let id = waiters.last().map_or(0, |last| last.id + 1);
            waiters.push(Waiter { id, interest, came: Readiness::NONE, waker: None });
            id
        })
    }

    /// What came for a waiter, which is over with it. If nothing has, `waker` changes places with the one
    /// that it left before.
    pub(super) fn poll(&self, id: u64, waker: &mut Option<Waker>) -> Option<Readiness> {
        self.with(|waiters| {
            let at = waiters.iter().position(|waiter| waiter.id == id)?;
            let came = waiters[at].came;
            if came.is_none() {
                std::mem::swap(&mut waiters[at].waker, waker);
            } else {
                waiters.remove(at);
            }
            Some(came)
        })
    }

    /// Ends a wait. Its waker is to be dropped with no borrow held.
    pub(super) fn remove(&self, id: u64) -> Option<Waker> {
        self.with(|waiters| {
            let at = waiters.iter().position(|waiter| waiter.id == id)?;
            waiters.remove(at).waker
        })
    }

    /// How many wait for this readiness.
    pub(super) fn count(&self, readiness: Readiness) -> usize {
        let list = self.list.borrow();
        let waiters = list.iter().flat_map(|list| &list.waiters);
        waiters.filter(|waiter| waiter.hears(readiness)).count()
    }

    /// Tells the next of those who wait for this readiness, who may have left a waker.
    pub(super) fn answer(&self, readiness: Readiness) -> Option<Option<Waker>> {
        self.with(|waiters| {
            let waiter = waiters.iter_mut().find(|waiter| waiter.hears(readiness))?;
            waiter.came = readiness;
            Some(waiter.waker.take())
        })
    }

    /// What those want to whom nothing has come.
    pub(super) fn wanted(&self) -> Interest {
        let list = self.list.borrow();
        let waiters = list.iter().flat_map(|list| &list.waiters);
        let waiting = waiters.filter(|waiter| waiter.came.is_none());
        waiting.fold(Interest::NONE, |all, waiter| all | waiter.interest)
    }

    /// Ends all waits, and gives out the wakers.
    pub(super) fn close(&self) -> impl Iterator<Item = Waker> + use<> {
        let list = self.list.take().map(|list| list.waiters).unwrap_or_default();
        list.into_iter().filter_map(|waiter| waiter.waker)
    }
}
