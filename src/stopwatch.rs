//! When to read the clock between callbacks.
//!
//! The clock says when the budget of a turn is spent, and which callback is slow. Reading it costs more
//! than a short callback does, so that the first of a turn, and short ones after it, share a reading, and it is
//! read whenever the kernel's timer interrupt has come meanwhile, which costs little to see. A long callback among
//! them is seen at once where it lasts longer than the period of that, 1 to 10 ms, and else a few callbacks later. What
//! was not read counts for the callback behind which it is: so much longer, by that period at most, a slow one may
//! seem.

use std::cell::Cell;

use crate::clock::{Clock, Nanos, ROUGH};

/// How many callbacks there may be to one reading.
const MOST: u32 = 16;

/// How many there are at the begin of a turn: one that has a single callback needs no reading at its end.
const FIRST: u32 = 2;

/// How long a callback is that is short, on the average since the last reading.
const SHORT: Nanos = 4_000;

pub(crate) struct Stopwatch {
    /// How many callbacks there are to one reading: more and more while they are short.
    stride: Cell<u32>,
    /// How many there were since the last.
    unread: Cell<u32>,
    most: u32,
}

impl Stopwatch {
    /// For callbacks that are slow when they take longer than `slow`.
    pub(crate) fn new(slow: Nanos) -> Stopwatch {
        Stopwatch {
            stride: Cell::new(1),
            unread: Cell::new(0),
            // A callback that is slow has to be told from those before it.
            most: if slow < ROUGH { 1 } else { MOST },
        }
    }

    /// A turn begins, with a reading.
    pub(crate) fn start(&self) {
        self.stride.set(FIRST.min(self.most));
        self.unread.set(0);
    }

    /// A callback has ended. True when the clock need not be read for it, whose last reading was `last`.
    pub(crate) fn can_wait(&self, clock: &Clock, last: Nanos) -> bool {
        let unread = self.unread.get() + 1;
        self.unread.set(unread);
        unread < self.stride.get() && clock.roughly() <= last
    }

    /// The clock was read, `since` after the last time.
    pub(crate) fn read(&self, since: Nanos) {
        let short = since < SHORT * Nanos::from(self.unread.replace(0));
        self.stride.set(if short { (self.stride.get() * 2).min(self.most) } else { 1 });
    }

    /// True when callbacks have ended since the last reading.
    pub(crate) fn is_behind(&self) -> bool {
        self.unread.get() > 0
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn short_callbacks_share_a_reading_and_a_long_one_does_not() {
        let clock = Clock::new();
        let stopwatch = Stopwatch::new(Nanos::MAX);
        stopwatch.start();
        assert!(stopwatch.can_wait(&clock, Nanos::MAX), "one alone is not measured");
        assert!(!stopwatch.can_wait(&clock, Nanos::MAX), "two are");
        for _ in 0..4 {
            stopwatch.read(1);
            assert!(!stopwatch.can_wait(&clock, 0), "the rough clock has moved");
        }
        assert_eq!(stopwatch.stride.get(), MOST);
        stopwatch.read(SHORT);
        assert!(!stopwatch.can_wait(&clock, Nanos::MAX), "after a long one, each is measured");
        assert!(stopwatch.is_behind());
    }

    #[test]
    fn each_is_measured_where_slow_is_not_long() {
        let clock = Clock::new();
        let stopwatch = Stopwatch::new(ROUGH - 1);
        stopwatch.start();
        for _ in 0..100 {
            assert!(!stopwatch.can_wait(&clock, Nanos::MAX));
            stopwatch.read(1);
        }
    }
}
