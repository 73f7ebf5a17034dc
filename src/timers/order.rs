//! The order in which the timers fire.
//!
//! A cancelled or reset timer leaves its old place among the deadlines behind, which is passed over when
//! it comes up, and swept when such places are the greater part.

use crate::clock::{NEVER, Nanos};
use crate::deadlines::{Deadlines, Place};
use crate::prefetch::prefetch;
use crate::slots::Slots;

/// The sequence of a timer that has no place.
const OUT: u32 = u32::MAX;

pub(super) struct Order {
    /// For each slot of the table of timers, the sequence of the place that counts, or `OUT`. It stands beside the
    /// table because it is asked for every place, and close together it stays in the processor's cache.
    counting: Vec<u32>,
    deadlines: Deadlines,
    next_sequence: u32,
}

impl Order {
    pub(super) fn new() -> Order {
        Order { counting: Vec::new(), deadlines: Deadlines::new(), next_sequence: 0 }
    }

    /// The number that the next place gets, unless the numbers are used up.
    pub(super) fn next_sequence(&self) -> u32 {
        self.next_sequence
    }

    /// True when nobody has a place, and nobody has left one behind.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.deadlines.len() == 0
    }

    /// Gives a timer its place. `timers` is how many there are.
    pub(super) fn place(&mut self, deadline: Nanos, slot: u32, timers: usize) {
        if self.next_sequence == OUT {
            self.number_anew();
        }
        self.push(deadline, slot);
        self.sweep(timers);
    }

    /// Takes a timer's place from it. `timers` is how many are left.
    pub(super) fn displace(&mut self, slot: u32, timers: usize) {
        self.counting[slot as usize] = OUT;
        self.sweep(timers);
    }

    /// True when a timer has a place.
    pub(super) fn has_place(&self, slot: u32) -> bool {
        self.counting[slot as usize] != OUT
    }

    /// The earliest place that counts.
    #[inline]
    pub(super) fn first(&mut self) -> Option<Place> {
        let place = *self.deadlines.first()?;
        if counts(&self.counting, &place) { Some(place) } else { self.pass_over() }
    }

    /// Drops the earliest places that do not count, and gives the first that does.
    #[cold]
    fn pass_over(&mut self) -> Option<Place> {
        loop {
            let place = *self.deadlines.first()?;
            if counts(&self.counting, &place) {
                return Some(place);
            }
            self.deadlines.pop();
        }
    }

    /// Takes the place that `first` has shown.
    #[inline]
    pub(super) fn take(&mut self, first: &Place) {
        self.counting[first.slot as usize] = OUT;
        self.deadlines.pop();
    }

    /// Has the processor fetch what belongs to the places that come soon: in the order of their deadlines, timers lie all
    /// over their table.
    #[inline]
    pub(super) fn look_ahead<T>(&mut self, table: &Slots<T>) {
        for place in self.deadlines.ahead() {
            prefetch(&self.counting[place.slot as usize]);
            table.prefetch(place.slot);
        }
    }

    fn push(&mut self, deadline: Nanos, slot: u32) {
        let sequence = self.next_sequence;
        self.next_sequence += 1;
        if slot as usize >= self.counting.len() {
            self.counting.resize(slot as usize + 1, OUT);
        }
        self.counting[slot as usize] = sequence;
        self.deadlines.push(Place { deadline, sequence, slot });
    }

    /// Four thousand million sequences are used up: those that are set get the first ones.
    fn number_anew(&mut self) {
        let mut places = Vec::new();
        while let Some(place) = self.first() {
            self.deadlines.pop();
            places.push(place);
        }
        self.next_sequence = 0;
        places.into_iter().for_each(|place| self.push(place.deadline, place.slot));
    }

    /// Drops the places that do not count, when they are the greater part.
    fn sweep(&mut self, timers: usize) {
        if self.deadlines.len() > 2 * timers + 64 {
            let counting = &self.counting;
            self.deadlines.retain(|place| counts(counting, place));
        }
    }

    /// How many places there are, those that do not count included.
    #[cfg(all(test, not(interloop_loom)))]
    pub(super) fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// Has the numbers end after so many more.
    #[cfg(all(test, not(interloop_loom)))]
    pub(super) fn leave_numbers(&mut self, left: u32) {
        self.next_sequence = OUT - left;
    }
}

/// A sequence tells a timer from those that had its slot before: it is not given out again while any
/// place has it.
fn counts(counting: &[u32], place: &Place) -> bool {
    counting[place.slot as usize] == place.sequence
}

impl Place {
    pub(super) fn is_due(&self, now: Nanos, end: u32) -> bool {
        self.deadline <= now && self.deadline != NEVER && self.sequence < end
    }
}
