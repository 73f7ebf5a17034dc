//! The one who waits for a source, where it is one: he has his place in its cache.

use std::cell::Cell;
use std::task::Waker;

use interloop_backends::Interest;

use super::Name;

/// Who waits, and for what. Nobody waits for nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: Name,
    pub(super) interest: Interest,
}

/// Where nobody waits.
pub(super) const EMPTY: Place = Place { name: None, interest: Interest::NONE };

pub(super) struct Waiting {
    pub(super) place: Place,
    pub(super) waker: Waker,
}

/// The first of those who wait.
pub(super) struct Sole {
    place: Cell<Place>,
    waker: Cell<Option<Waker>>,
}

impl Sole {
    pub(super) fn new() -> Sole {
        Sole { place: Cell::new(EMPTY), waker: Cell::new(None) }
    }

    pub(super) fn place(&self) -> Place {
        self.place.get()
    }

    pub(super) fn put(&self, waiting: Waiting) {
        self.place.set(waiting.place);
        // What is replaced here is nothing: the place was empty.
        self.waker.set(Some(waiting.waker));
    }

    /// Takes out who waits here, if that is true of him.
    pub(super) fn take_if(&self, is: impl Fn(Place) -> bool) -> Option<Waker> {
        if !is(self.place.get()) {
            return None;
        }
        self.place.set(EMPTY);
        self.waker.take()
    }

    pub(super) fn is_waiting(&self, place: Place, waker: &Waker) -> bool {
        if self.place.get() != place {
            return false;
        }
        let waits = self.waker.take();
        let same = waits.as_ref().is_some_and(|waits| waits.will_wake(waker));
        self.waker.set(waits);
        same
    }
}
