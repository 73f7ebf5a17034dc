//! The timers: deadlines in their order, over a table of callbacks.
//!
//! A cancelled or reset timer leaves its old place among the deadlines behind, which is passed over when
//! it comes up, and swept when such places are the greater part.

use std::ops::ControlFlow;
use std::task::Waker;

use interloop_backends::Key;

use crate::clock::{NEVER, Nanos};
use crate::deadlines::{Deadlines, Place};
use crate::label::Label;
use crate::slots::Slots;

pub(crate) type Once = Box<dyn FnOnce()>;
pub(crate) type Every = Box<dyn FnMut() -> ControlFlow<()>>;

/// The sequence of a timer that has no place among the deadlines.
const OUT: u64 = u64::MAX;

/// What a timer does when it is due.
pub(crate) enum Fire {
    Once(Once),
    Every(Box<Periodic>),
    Wake(Waker),
}

/// What a timer does again and again.
pub(crate) struct Periodic {
    /// Out while it runs.
    callback: Option<Every>,
    period: Nanos,
}

impl Fire {
    pub(crate) fn every(callback: Every, period: Nanos) -> Fire {
        Fire::Every(Box::new(Periodic { callback: Some(callback), period }))
    }
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
}

pub(crate) struct Timers {
    pub(crate) table: Slots<Timer>,
    /// For each slot of the table, the sequence of the place that counts, or `OUT`. It stands beside the
    /// table because it is asked for every place, and close together it stays in the processor's cache.
    counting: Vec<u64>,
    deadlines: Deadlines,
    next_sequence: u64,
    closed: bool,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers {
            table: Slots::new(),
            counting: Vec::new(),
            deadlines: Deadlines::new(),
            next_sequence: 0,
            closed: false,
        }
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
        let key = self.table.insert(Timer { deadline, label, fire });
        self.push(deadline, key);
        Ok(key)
    }

    /// Moves a timer. False when it is gone.
    pub(crate) fn reset(&mut self, key: Key, deadline: Nanos) -> bool {
        let Some(timer) = self.table.get_mut(key) else { return false };
        timer.deadline = deadline;
        self.push(deadline, key);
        true
    }

    /// Puts another waker in the place of a sleep's, and hands the old one out. None when the sleep
    /// is over.
    pub(crate) fn set_waker(&mut self, key: Key, waker: Waker) -> Option<Waker> {
        match &mut self.table.get_mut(key)?.fire {
            Fire::Wake(old) => Some(std::mem::replace(old, waker)),
            Fire::Once(_) | Fire::Every(_) => None,
        }
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Timer> {
        let timer = self.table.remove(key)?;
        self.counting[key.slot() as usize] = OUT;
        self.sweep();
        Some(timer)
    }

    /// The earliest deadline.
    pub(crate) fn earliest(&mut self) -> Option<Nanos> {
        let place = self.first()?;
        (place.deadline != NEVER).then_some(place.deadline)
    }

    /// The number that the next set or reset timer gets.
    pub(crate) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// True when the earliest timer is due, and was set before `end`.
    pub(crate) fn is_due(&mut self, now: Nanos, end: u64) -> bool {
        let due = |place: Place| place.deadline <= now && place.sequence < end;
        self.first().is_some_and(|place| place.deadline != NEVER && due(place))
    }

    /// Takes the earliest timer.
    pub(crate) fn pop(&mut self) -> Option<(Key, Due)> {
        let place = self.first().filter(|place| place.deadline != NEVER)?;
        self.deadlines.pop();
        let key = place.key;
        // One that is due again while its callback is on the stack, in a nested host loop, is a missed
        // period.
        self.counting[key.slot() as usize] = OUT;
        let timer = self.table.get_mut(key)?;
        if let Fire::Every(periodic) = &mut timer.fire {
            return Some((key, Due::Every(periodic.callback.take()?)));
        }
        let Timer { label, fire, .. } = self.table.remove(key)?;
        match fire {
            Fire::Once(callback) => Some((key, Due::Once(callback, label))),
            Fire::Wake(waker) => Some((key, Due::Wake(waker))),
            Fire::Every(_) => None,
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
        let Some(timer) = self.table.get_mut(key) else { return (Some(callback), None) };
        let Fire::Every(periodic) = &mut timer.fire else { return (Some(callback), None) };
        periodic.callback = Some(callback);
        // Unless it was reset meanwhile.
        if self.counting[key.slot() as usize] == OUT {
            let missed = now.saturating_sub(timer.deadline) / periodic.period;
            let deadline =
                timer.deadline.saturating_add(periodic.period.saturating_mul(missed + 1));
            timer.deadline = deadline;
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
        self.deadlines = Deadlines::new();
        self.counting = Vec::new();
        self.table.drain()
    }

    /// Gives a timer its place.
    fn push(&mut self, deadline: Nanos, key: Key) {
        let (slot, sequence) = (key.slot() as usize, self.next_sequence);
        self.next_sequence += 1;
        if slot >= self.counting.len() {
            self.counting.resize(slot + 1, OUT);
        }
        self.counting[slot] = sequence;
        self.deadlines.push(Place { deadline, sequence, key });
        self.sweep();
    }

    /// The earliest place that counts.
    fn first(&mut self) -> Option<Place> {
        loop {
            let place = *self.deadlines.first()?;
            if counts(&self.counting, &place) {
                return Some(place);
            }
            self.deadlines.pop();
        }
    }

    /// Drops the places that do not count, when they are the greater part.
    fn sweep(&mut self) {
        if self.deadlines.len() > 2 * self.table.len() + 64 {
            let counting = &self.counting;
            self.deadlines.retain(|place| counts(counting, place));
        }
    }
}

/// A sequence is given out once, so that it tells a timer from those that had its slot before.
fn counts(counting: &[u64], place: &Place) -> bool {
    counting[place.key.slot() as usize] == place.sequence
}

impl Timer {
    /// The waker of a sleep.
    pub(crate) fn into_waker(self) -> Option<Waker> {
        match self.fire {
            Fire::Wake(waker) => Some(waker),
            Fire::Once(_) | Fire::Every(_) => None,
        }
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    /// The random numbers of George Marsaglia's xorshift.
    struct Random(u64);

    impl Random {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0 % bound
        }
    }

    /// What is set, in the order in which it was set or reset, last.
    #[derive(Default)]
    struct Model(Vec<(Nanos, Key)>);

    impl Model {
        fn set(&mut self, deadline: Nanos, key: Key) {
            self.0.retain(|(_, other)| *other != key);
            self.0.push((deadline, key));
        }

        /// The first of those with the earliest deadline.
        fn pop(&mut self) -> Option<(Nanos, Key)> {
            let earliest = self.0.iter().map(|(deadline, _)| *deadline).min()?;
            let at = self.0.iter().position(|(deadline, _)| *deadline == earliest)?;
            Some(self.0.remove(at))
        }
    }

    fn set(timers: &mut Timers, deadline: Nanos) -> Key {
        let fire = Fire::Once(Box::new(|| ()));
        timers.insert(deadline, Label::named("test"), fire).unwrap_or_else(|_| unreachable!())
    }

    #[test]
    fn it_does_what_a_naive_list_does() {
        for seed in 1..=200 {
            let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ seed);
            let (mut timers, mut model) = (Timers::new(), Model::default());
            let mut gone = Vec::new();
            // Few deadlines, so that many are equal.
            let mut now = 1;
            for _ in 0..500 {
                let deadline = now + random.below(20);
                let any = (!model.0.is_empty())
                    .then(|| model.0[random.below(model.0.len() as u64) as usize].1);
                match (random.below(10), any) {
                    (0..4, _) | (_, None) => {
                        let key = set(&mut timers, deadline);
                        model.set(deadline, key);
                    }
                    (4..6, Some(key)) => {
                        assert!(timers.reset(key, deadline));
                        model.set(deadline, key);
                    }
                    (6, Some(key)) => {
                        assert!(timers.remove(key).is_some());
                        model.0.retain(|(_, other)| *other != key);
                        gone.push(key);
                    }
                    _ => {
                        now += random.below(10);
                        let end = timers.next_sequence();
                        while timers.is_due(now, end) {
                            let (key, _) = timers.pop().expect("it is due");
                            assert_eq!(model.pop().map(|(_, key)| key), Some(key), "seed {seed}");
                            gone.push(key);
                        }
                    }
                }
                let earliest = model.0.iter().map(|(deadline, _)| *deadline).min();
                assert_eq!(timers.earliest(), earliest, "seed {seed}");
                assert_eq!(timers.table.len(), model.0.len());
            }
            for key in gone {
                assert!(!timers.reset(key, now) && timers.remove(key).is_none());
            }
        }
    }

    #[test]
    fn what_is_reset_again_and_again_does_not_pile_up() {
        let mut timers = Timers::new();
        let keys: Vec<_> = (0..100).map(|number| set(&mut timers, number)).collect();
        for round in 0..10_000 {
            assert!(timers.reset(keys[round % 100], 1_000_000 - round as Nanos));
            assert!(timers.deadlines.len() <= 2 * 100 + 65);
        }
        for key in keys {
            timers.remove(key);
            assert!(timers.deadlines.len() <= 2 * timers.table.len() + 64);
        }
        assert_eq!(timers.earliest(), None);
    }

    #[test]
    fn one_that_was_set_too_late_waits_for_the_next_turn() {
        let mut timers = Timers::new();
        set(&mut timers, 5);
        let end = timers.next_sequence();
        assert!(timers.is_due(5, end) && !timers.is_due(4, end));
        timers.pop();
        set(&mut timers, 5);
        assert!(!timers.is_due(5, end));
        assert!(timers.is_due(5, timers.next_sequence()));
    }

    #[test]
    fn a_period_goes_on_at_its_next_multiple() {
        for (now, next) in [(10, 20), (19, 20), (20, 30), (55, 60), (NEVER - 1, NEVER)] {
            let mut timers = Timers::new();
            let every = Fire::every(Box::new(|| ControlFlow::Continue(())), 10);
            let key = timers.insert(10, Label::named("test"), every).unwrap_or_else(|_| panic!());
            let Some((_, Due::Every(callback))) = timers.pop() else { panic!("it is periodic") };
            assert_eq!(timers.earliest(), None, "it runs");
            timers.again(key, callback, true, now);
            assert_eq!(timers.earliest(), Some(next).filter(|next| *next != NEVER));
        }
    }

    #[test]
    fn a_time_that_never_comes_is_not_the_earliest() {
        let mut timers = Timers::new();
        set(&mut timers, NEVER);
        assert_eq!(timers.earliest(), None);
        assert!(!timers.is_due(NEVER - 1, timers.next_sequence()));
    }
}
