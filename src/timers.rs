//! The timers: a heap of deadlines over a table of callbacks.
//!
//! A cancelled or reset timer leaves its old place in the heap behind, which is passed over when it
//! comes up, and swept when such places are the greater part.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::ops::ControlFlow;
use std::task::Waker;

use interloop_backends::Key;

use crate::clock::{NEVER, Nanos};
use crate::label::Label;
use crate::slots::Slots;

pub(crate) type Once = Box<dyn FnOnce()>;
pub(crate) type Every = Box<dyn FnMut() -> ControlFlow<()>>;

/// The sequence of a timer that has no place in the heap.
const OUT: u64 = u64::MAX;

/// What a timer does when it is due.
pub(crate) enum Fire {
    Once(Once),
    /// The callback, which is out while it runs, and the period.
    Every(Option<Every>, Nanos),
    Wake(Waker),
}

/// A timer that came due.
pub(crate) enum Due {
    Once(Once, Label),
    Every(Every),
    Wake(Waker),
}

pub(crate) struct Timer {
    pub(crate) deadline: Nanos,
    pub(crate) label: Label,
    fire: Fire,
    /// The place in the heap that counts.
    sequence: u64,
}

pub(crate) struct Timers {
    pub(crate) table: Slots<Timer>,
    heap: BinaryHeap<Reverse<(Nanos, u64, Key)>>,
    next_sequence: u64,
    closed: bool,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers { table: Slots::new(), heap: BinaryHeap::new(), next_sequence: 0, closed: false }
    }

    /// Sets a timer.
    ///
    /// # Errors
    ///
    /// What it would have done, when the timers are closed.
    pub(crate) fn insert(
        &mut self,
        deadline: Nanos,
        label: Label,
        fire: Fire,
    ) -> Result<Key, Fire> {
        if self.closed {
            return Err(fire);
        }
        let sequence = self.next_sequence;
        let key = self.table.insert(Timer { deadline, label, fire, sequence });
        self.push(deadline, key);
        Ok(key)
    }

    /// Moves a timer. False when it is gone.
    pub(crate) fn reset(&mut self, key: Key, deadline: Nanos) -> bool {
        let sequence = self.next_sequence;
        let Some(timer) = self.table.get_mut(key) else { return false };
        timer.deadline = deadline;
        timer.sequence = sequence;
        self.push(deadline, key);
        true
    }

    /// Puts another waker in the place of a sleep's. False when the sleep is over.
    pub(crate) fn set_waker(&mut self, key: Key, waker: &Waker) -> bool {
        match self.table.get_mut(key).map(|timer| &mut timer.fire) {
            Some(Fire::Wake(old)) => {
                old.clone_from(waker);
                true
            }
            _ => false,
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Timer> {
        let timer = self.table.remove(key);
        self.sweep();
        timer
    }

    /// The earliest deadline.
    pub(crate) fn earliest(&mut self) -> Option<Nanos> {
        while let Some(&Reverse((deadline, sequence, key))) = self.heap.peek() {
            if self.counts(sequence, key) {
                return (deadline != NEVER).then_some(deadline);
            }
            self.heap.pop();
        }
        None
    }

    /// The number that the next set or reset timer gets.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// True when the earliest timer is due, and was set before `end`.
    pub(crate) fn is_due(&mut self, now: Nanos, end: u64) -> bool {
        self.earliest().is_some_and(|deadline| deadline <= now)
            && self.heap.peek().is_some_and(|Reverse((_, sequence, _))| *sequence < end)
    }

    /// Takes the earliest timer.
    pub(crate) fn pop(&mut self) -> Option<(Key, Due)> {
        self.earliest()?;
        let Reverse((_, _, key)) = self.heap.pop()?;
        let timer = self.table.get_mut(key)?;
        if let Fire::Every(callback, _) = &mut timer.fire {
            // One that is due again while its callback is on the stack, in a nested host loop, is
            // a missed period.
            timer.sequence = OUT;
            return Some((key, Due::Every(callback.take()?)));
        }
        let Timer { label, fire, .. } = self.table.remove(key)?;
        match fire {
            Fire::Once(callback) => Some((key, Due::Once(callback, label))),
            Fire::Wake(waker) => Some((key, Due::Wake(waker))),
            Fire::Every(..) => None,
        }
    }

    /// Takes a periodic callback back, for the first of its times that is still to come, unless it
    /// was reset meanwhile. Hands out what is to be dropped.
    pub(crate) fn again(
        &mut self,
        key: Key,
        callback: Every,
        again: bool,
        now: Nanos,
    ) -> (Option<Every>, Option<Timer>) {
        if !again {
            return (Some(callback), self.remove(key));
        }
        let sequence = self.next_sequence;
        let Some(timer) = self.table.get_mut(key) else { return (Some(callback), None) };
        let Fire::Every(place, period) = &mut timer.fire else { return (Some(callback), None) };
        *place = Some(callback);
        if timer.sequence == OUT {
            let missed = now.saturating_sub(timer.deadline) / *period;
            let deadline = timer.deadline.saturating_add(period.saturating_mul(missed + 1));
            timer.deadline = deadline;
            timer.sequence = sequence;
            self.push(deadline, key);
        }
        (None, None)
    }

    pub(crate) fn label(&mut self, key: Key) -> Option<Label> {
        self.table.get_mut(key).map(|timer| timer.label.clone())
    }

    /// Takes all timers out, and takes no more.
    pub(crate) fn close(&mut self) -> Vec<(Key, Timer)> {
        self.closed = true;
        self.heap.clear();
        self.table.drain()
    }

    fn push(&mut self, deadline: Nanos, key: Key) {
        self.heap.push(Reverse((deadline, self.next_sequence, key)));
        self.next_sequence += 1;
        self.sweep();
    }

    fn counts(&mut self, sequence: u64, key: Key) -> bool {
        self.table.get_mut(key).is_some_and(|timer| timer.sequence == sequence)
    }

    /// Drops the places that do not count, when they are the greater part.
    fn sweep(&mut self) {
        if self.heap.len() > 2 * self.table.len() + 64 {
            let mut heap = std::mem::take(&mut self.heap);
            heap.retain(|Reverse((_, sequence, key))| self.counts(*sequence, *key));
            self.heap = heap;
        }
    }
}

impl Timer {
    /// The waker of a sleep.
    pub(crate) fn into_waker(self) -> Option<Waker> {
        match self.fire {
            Fire::Wake(waker) => Some(waker),
            Fire::Once(_) | Fire::Every(..) => None,
        }
    }
}
