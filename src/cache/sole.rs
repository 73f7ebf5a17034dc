//! The one who waits for a source, where it is one: he has his place in its cache.

use std::cell::Cell;
use std::num::NonZeroU64;
use std::task::Waker;

use interloop_backends::Interest;

use super::Name;

/// Who waits, and for what. Nobody waits for nothing.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) name: Name,
    pub(super) interest: Interest,
}

/// A place in one word, as every source has one: the name above the interest. Nobody runs out of names of 56 bits.
#[derive(Clone, Copy)]
struct Word(u64);

impl Word {
    /// Where nobody waits.
    const EMPTY: Word = Word(0);
    const INTERESTS: [Interest; 3] = [Interest::READABLE, Interest::WRITABLE, Interest::PRIORITY];

    #[inline]
    fn of(Place { name, interest }: Place) -> Word {
        let bit = |at: usize| u64::from(interest.contains(Word::INTERESTS[at])) << at;
        Word(name.map_or(0, NonZeroU64::get) << 8 | bit(0) | bit(1) | bit(2))
    }

    #[inline]
    fn is_empty(self) -> bool {
        self.0 & 0b111 == 0
    }

    #[inline]
    fn place(self) -> Place {
        let part = |at: usize| match self.0 >> at & 1 {
            0 => Interest::NONE,
            _ => Word::INTERESTS[at],
        };
        Place { name: NonZeroU64::new(self.0 >> 8), interest: part(0) | part(1) | part(2) }
    }
}

pub(super) struct Waiting {
    pub(super) place: Place,
    pub(super) waker: Waker,
}

/// The first of those who wait.
pub(super) struct Sole {
    place: Cell<Word>,
    /// His waker. Where nobody waits, that of a task of this reactor's who did and was woken: as a rule he is
    /// the next to wait, and his waker need not be dropped and cloned again.
    waker: Cell<Option<Waker>>,
}

impl Sole {
    pub(super) fn new() -> Sole {
        Sole { place: Cell::new(Word::EMPTY), waker: Cell::new(None) }
    }

    /// True when nobody waits here.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.place.get().is_empty()
    }

    pub(super) fn place(&self) -> Place {
        self.place.get().place()
    }

    pub(super) fn put(&self, waiting: Waiting) {
        self.place.set(Word::of(waiting.place));
        // The place was empty: what is replaced here is at most a waker of ours, and no user code.
        self.waker.set(Some(waiting.waker));
    }

    /// Takes out who waits here, if that is true of him.
    #[inline]
    pub(super) fn take_if(&self, is: impl Fn(Place) -> bool) -> Option<Waker> {
        if self.is_empty() || !is(self.place()) {
            return None;
        }
        self.place.set(Word::EMPTY);
        self.waker.take()
    }

    /// Ends the wait of who waits here, if that is true of him and `wake` has woken him.
    #[inline]
    pub(super) fn wake_if(
        &self,
        is: impl FnOnce(Place) -> bool,
        wake: impl FnOnce(&Waker) -> bool,
    ) -> bool {
        let woken = is(self.place()) && self.with_waker(wake);
        if woken {
            self.place.set(Word::EMPTY);
        }
        woken
    }

    /// Gives the place back to the task that was the last to have it, if this is its waker. The place is empty.
    #[inline]
    pub(super) fn waits_again(&self, place: Place, waker: &Waker) -> bool {
        let same = self.with_waker(|last| last.will_wake(waker));
        if same {
            self.place.set(Word::of(place));
        }
        same
    }

    /// Keeps no waker for who does not wait.
    pub(super) fn forget(&self) {
        if self.is_empty() {
            self.waker.set(None);
        }
    }

    /// False where there is no waker. It is no user code that looks.
    #[inline]
    fn with_waker(&self, look: impl FnOnce(&Waker) -> bool) -> bool {
        let waker = self.waker.take();
        let seen = waker.as_ref().is_some_and(look);
        self.waker.set(waker);
        seen
    }

    pub(super) fn is_waiting(&self, place: Place, waker: &Waker) -> bool {
        self.place() == place && self.with_waker(|waits| waits.will_wake(waker))
    }
}
