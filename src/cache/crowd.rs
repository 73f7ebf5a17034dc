//! Those who wait for one source when they are more than one.

use std::task::Waker;

use interloop_backends::Interest;

use super::sole::{Place, Waiting};

pub(super) struct Crowd {
    waiting: Vec<Waiting>,
    /// How many callers of poll functions may wait.
    room: usize,
}

/// How many callers of poll functions are remembered for one source, at first and at most. One too
/// many, and all are woken, to ask again: those who have lost interest do not. Until the next event
/// there is then room for twice as many, so that those who have not do not wake each other for ever.
const POLLERS: (usize, usize) = (8, 65_536);

impl Default for Crowd {
    fn default() -> Crowd {
        Crowd { waiting: Vec::new(), room: POLLERS.0 }
    }
}

impl Crowd {
    /// An event came.
    pub(super) fn heard(&mut self) {
        self.room = POLLERS.0;
    }

    pub(super) fn interest(&self) -> Interest {
        self.waiting.iter().fold(Interest::NONE, |all, one| all | one.place.interest)
    }

    pub(super) fn is_waiting(&self, place: Place, waker: &Waker) -> bool {
        self.waiting.iter().any(|one| one.place == place && one.waker.will_wake(waker))
    }

    /// Takes out the first of whom that is true.
    pub(super) fn take_if(&mut self, is: impl Fn(Place) -> bool) -> Option<Waiting> {
        let at = self.waiting.iter().position(|one| is(one.place))?;
        Some(self.waiting.remove(at))
    }

    /// Takes one more in, beside so many `pollers` elsewhere. Gives out all pollers that are here, if they
    /// are too many.
    pub(super) fn push(&mut self, waiting: Waiting, pollers: usize) -> Option<Vec<Waker>> {
        let pollers = pollers + self.waiting.iter().filter(|one| one.place.name.is_none()).count();
        let full = waiting.place.name.is_none() && pollers >= self.room;
        let purged = full.then(|| self.purge());
        self.waiting.push(waiting);
        purged
    }

    fn purge(&mut self) -> Vec<Waker> {
        self.room = (self.room * 2).min(POLLERS.1);
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (pollers, futures): (Vec<_>, Vec<_>) =
            waiting.partition(|one| one.place.name.is_none());
        self.waiting = futures;
        pollers.into_iter().map(|one| one.waker).collect()
    }

    pub(super) fn into_wakers(self) -> impl Iterator<Item = Waker> {
        self.waiting.into_iter().map(|one| one.waker)
    }
}
