//! The timers: what they do, in a table, and the order in which they do it.

mod fire;
mod order;

use std::collections::VecDeque;
use std::task::Waker;

use interloop_backends::Key;

use crate::clock::{NEVER, Nanos};
use crate::label::Label;
use crate::slots::Slots;
use fire::Other;
pub(crate) use fire::{Due, Every, Fire};
use order::Order;

/// How many sleeps come due at once, at most: their wakers fit into the processor's nearest cache.
const MOST: usize = 128;

pub(crate) struct Timer {
    pub(crate) deadline: Nanos,
    pub(crate) label: Label,
    fire: Fire,
}

pub(crate) struct Timers {
    pub(crate) table: Slots<Timer>,
    order: Order,
    /// The wakers of the sleeps that came due, in their order.
    over: VecDeque<Waker>,
    closed: bool,
}

impl Timers {
    pub(crate) fn new() -> Timers {
        Timers { table: Slots::new(), order: Order::new(), over: VecDeque::new(), closed: false }
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
        self.place(deadline, key);
        Ok(key)
    }

    /// Moves a timer. False when it is gone.
    pub(crate) fn reset(&mut self, key: Key, deadline: Nanos) -> bool {
        let Some(timer) = self.table.get_mut(key) else { return false };
        timer.deadline = deadline;
        self.place(deadline, key);
        true
    }

    /// Puts another waker in the place of a sleep's, and that one in its own. False when the sleep is over.
    pub(crate) fn set_waker(&mut self, key: Key, waker: &mut Waker) -> bool {
        let Some(timer) = self.table.get_mut(key) else { return false };
        let Fire::Other(Other::Wake(old)) = &mut timer.fire else { return false };
        std::mem::swap(old, waker);
        true
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<Timer> {
        let timer = self.table.remove(key)?;
        self.order.displace(key.slot(), self.table.len());
        Some(timer)
    }

    /// True when there is nothing that could come due.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.order.is_empty() && self.over.is_empty()
    }

    /// The earliest deadline.
    #[inline]
    pub(crate) fn earliest(&mut self) -> Option<Nanos> {
        // Asked several times a turn, by most reactors without a timer.
        if self.order.is_empty() {
            return None;
        }
        let place = self.order.first()?;
        (place.deadline != NEVER).then_some(place.deadline)
    }

    /// The number that the next set or reset timer gets, unless the numbers are used up.
    pub(crate) fn next_sequence(&self) -> u32 {
        self.order.next_sequence()
    }

    /// True when the earliest timer is due, and was set before `end`.
    pub(crate) fn is_due(&mut self, now: Nanos, end: u32) -> bool {
        self.order.first().is_some_and(|place| place.is_due(now, end))
    }

    /// Takes the earliest timer, if it is due and was set before `end`; of sleeps, as many as follow one
    /// another, up to `most`.
    ///
    /// A callback is left in the table until its time, so that those before it can cancel it. A sleep
    /// that is due is over, whoever runs before it.
    pub(crate) fn pop_due(&mut self, now: Nanos, end: u32, most: usize) -> Option<Due> {
        let (before, most) = (self.over.len(), most.min(MOST));
        while let Some(place) = self.order.first().filter(|place| place.is_due(now, end)) {
            self.order.look_ahead(&self.table);
            let slept = self.over.len() - before;
            let timer = self.table.get_at_mut(place.slot)?;
            if slept > 0 && (slept == most || !timer.fire.is_wake()) {
                break;
            }
            // One that is due again while its callback is on the stack, in a nested host loop, is a
            // missed period.
            self.order.take(&place);
            if let Some(periodic) = timer.fire.periodic() {
                let Some(callback) = periodic.callback.take() else { continue };
                return Some(Due::Every(self.table.key_at(place.slot)?, callback));
            }
            let Timer { label, fire, .. } = self.table.remove_at(place.slot)?;
            match fire {
                Fire::Other(Other::Wake(waker)) => self.over.push_back(waker),
                Fire::Once(callback) => return Some(Due::Once(callback, label)),
                Fire::Other(Other::Every(_)) => {}
            }
        }
        let slept = self.over.len() - before;
        (slept > 0).then_some(Due::Sleeps(slept))
    }

    /// Takes the waker of a sleep that is over.
    pub(crate) fn pop_over(&mut self) -> Option<Waker> {
        self.over.pop_front()
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
        let Some(periodic) = timer.fire.periodic() else { return (Some(callback), None) };
        periodic.callback = Some(callback);
        // Unless it was reset meanwhile.
        if !self.order.has_place(key.slot()) {
            let missed = now.saturating_sub(timer.deadline) / periodic.period;
            let deadline =
                timer.deadline.saturating_add(periodic.period.saturating_mul(missed + 1));
            timer.deadline = deadline;
            self.place(deadline, key);
        }
        (None, None)
    }

    pub(crate) fn label(&mut self, key: Key) -> Option<Label> {
        self.table.get_mut(key).map(|timer| timer.label.clone())
    }

    /// Takes all timers out, and takes no more.
    pub(crate) fn close(&mut self) -> Vec<(Key, Timer)> {
        self.closed = true;
        self.order = Order::new();
        self.table.drain()
    }

    fn place(&mut self, deadline: Nanos, key: Key) {
        self.order.place(deadline, key.slot(), self.table.len());
    }
}

impl Timer {
    /// The waker of a sleep.
    pub(crate) fn into_waker(self) -> Option<Waker> {
        match self.fire {
            Fire::Other(Other::Wake(waker)) => Some(waker),
            Fire::Other(Other::Every(_)) | Fire::Once(_) => None,
        }
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use std::ops::ControlFlow;
    use std::sync::{Arc, Mutex};
    use std::task::Wake;

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

    fn insert(timers: &mut Timers, deadline: Nanos, fire: Fire) -> Key {
        timers.insert(deadline, Label::named("test"), fire).unwrap_or_else(|_| unreachable!())
    }

    fn set(timers: &mut Timers, deadline: Nanos) -> Key {
        insert(timers, deadline, Fire::once(|| ()))
    }

    /// What has fired, in its order.
    type Fired = Arc<Mutex<Vec<Key>>>;

    /// A sleep's waker.
    struct Sleeper(Key, Fired);

    impl Wake for Sleeper {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }

    /// Sets a callback or a sleep, that tells when it fires.
    fn set_telling(timers: &mut Timers, deadline: Nanos, is_sleep: bool, fired: &Fired) -> Key {
        let (next, fired) = (timers.table.next_key(), Arc::clone(fired));
        let fire = match is_sleep {
            true => Fire::wake(Waker::from(Arc::new(Sleeper(next, fired)))),
            false => Fire::once(move || fired.lock().unwrap().push(next)),
        };
        insert(timers, deadline, fire)
    }

    /// Fires all that are due, of sleeps a few at a time.
    fn fire(timers: &mut Timers, now: Nanos) {
        let end = timers.next_sequence();
        while let Some(due) = timers.pop_due(now, end, 3) {
            match due {
                Due::Once(callback, _) => callback.call(),
                Due::Every(..) => unreachable!(),
                Due::Sleeps(count) => {
                    assert!((1..=3).contains(&count));
                    let over: Vec<_> = std::iter::from_fn(|| timers.pop_over()).collect();
                    assert_eq!(over.len(), count);
                    over.into_iter().for_each(Waker::wake);
                }
            }
        }
        assert!(!timers.is_due(now, end));
    }

    #[test]
    fn it_does_what_a_naive_list_does() {
        for seed in 1..=200 {
            let mut random = Random(0x9E37_79B9_7F4A_7C15 ^ seed);
            let (mut timers, mut model) = (Timers::new(), Model::default());
            let (mut gone, fired) = (Vec::new(), Fired::default());
            // The numbers end halfway.
            if seed % 2 == 1 {
                timers.order.leave_numbers(100);
            }
            // Few deadlines, so that many are equal.
            let mut now = 1;
            for _ in 0..500 {
                let deadline = now + random.below(20);
                let any = (!model.0.is_empty())
                    .then(|| model.0[random.below(model.0.len() as u64) as usize].1);
                match (random.below(10), any) {
                    (0..4, _) | (_, None) => {
                        let is_sleep = random.below(3) > 0;
                        let key = set_telling(&mut timers, deadline, is_sleep, &fired);
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
                        fire(&mut timers, now);
                        let mut fired = std::mem::take(&mut *fired.lock().unwrap());
                        for key in &fired {
                            assert_eq!(model.pop().map(|(_, key)| key), Some(*key), "seed {seed}");
                        }
                        gone.append(&mut fired);
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
            assert!(timers.order.len() <= 2 * 100 + 65);
        }
        for key in keys {
            timers.remove(key);
            assert!(timers.order.len() <= 2 * timers.table.len() + 64);
        }
        assert_eq!(timers.earliest(), None);
    }

    #[test]
    fn one_that_was_set_too_late_waits_for_the_next_turn() {
        let mut timers = Timers::new();
        set(&mut timers, 5);
        let end = timers.next_sequence();
        assert!(timers.is_due(5, end) && !timers.is_due(4, end));
        assert!(timers.pop_due(4, end, 1).is_none() && timers.pop_due(5, end, 1).is_some());
        set(&mut timers, 5);
        assert!(!timers.is_due(5, end));
        assert!(timers.is_due(5, timers.next_sequence()));
    }

    #[test]
    fn a_period_goes_on_at_its_next_multiple() {
        for (now, next) in [(10, 20), (19, 20), (20, 30), (55, 60), (NEVER - 1, NEVER)] {
            let mut timers = Timers::new();
            let every = Fire::every(Box::new(|| ControlFlow::Continue(())), 10);
            let key = insert(&mut timers, 10, every);
            let Some(Due::Every(due, callback)) = timers.pop_due(10, timers.next_sequence(), 1)
            else {
                panic!()
            };
            assert_eq!(due, key);
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
