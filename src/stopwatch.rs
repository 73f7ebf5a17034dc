//! When to read the clock between callbacks.
//!
//! The clock says when the budget of a turn is spent, and which callback is slow. Reading it costs more
//! than a short callback does, so that after short ones it is read every so often, and whenever the
//! kernel's timer interrupt has come meanwhile, which costs little to see. A long callback after short
//! ones is seen at once where it lasts longer than the period of that, 1 to 10 ms, and else a few
//! callbacks later.

use std::cell::Cell;

use crate::clock::{Clock, Nanos, ROUGH};

/// How many callbacks there may be to one reading.
const MOST: u32 = 16;

/// How long a callback is that is short, on the average since the last reading.
const SHORT: Nanos = 4_000;

pub(crate) struct Stopwatch {
    /// How many callbacks there are to one reading: one at the begin of a turn, and more and more while
    /// they are short.
    stride: Cell<u32>,
    /// How many there were since the last.
    unread: Cell<u32>,
    /// The rough time of the last reading.
    rough: Cell<Nanos>,
    most: u32,
}

impl Stopwatch {
    /// For callbacks that are slow when they take longer than `slow`.
    pub(crate) fn new(slow: Nanos) -> Stopwatch {
        Stopwatch {
            stride: Cell::new(1),
            unread: Cell::new(0),
            rough: Cell::new(0),
            // A callback that is slow has to be told from those before it.
            most: if slow < ROUGH { 1 } else { MOST },
        }
    }

    /// A turn begins, with a reading.
    pub(crate) fn start(&self, clock: &Clock) {
        self.stride.set(1);
        self.unread.set(0);
        self.rough.set(clock.roughly());
    }

    /// A callback has ended. True when the clock need not be read for it.
    pub(crate) fn can_wait(&self, clock: &Clock) -> bool {
        let unread = self.unread.get() + 1;
        self.unread.set(unread);
        unread < self.stride.get() && clock.roughly() == self.rough.get()
    }

    /// The clock was read, `since` after the last time.
    pub(crate) fn read(&self, clock: &Clock, since: Nanos) {
        let short = since < SHORT * Nanos::from(self.unread.replace(0));
        self.stride.set(if short { (self.stride.get() * 2).min(self.most) } else { 1 });
        if short {
            self.rough.set(clock.roughly());
        }
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
        stopwatch.start(&clock);
        assert!(!stopwatch.can_wait(&clock), "the first of a turn is measured");
        for _ in 0..4 {
            stopwatch.read(&clock, 1);
            stopwatch.rough.set(0);
            assert!(!stopwatch.can_wait(&clock), "the rough clock has moved");
        }
        assert_eq!(stopwatch.stride.get(), MOST);
        stopwatch.read(&clock, SHORT);
        assert!(!stopwatch.can_wait(&clock), "after a long one, each is measured");
        assert!(stopwatch.is_behind());
    }

    #[test]
    fn each_is_measured_where_slow_is_not_long() {
        let clock = Clock::new();
        let stopwatch = Stopwatch::new(ROUGH - 1);
        stopwatch.start(&clock);
        for _ in 0..100 {
            assert!(!stopwatch.can_wait(&clock));
            stopwatch.read(&clock, 1);
        }
    }
}
