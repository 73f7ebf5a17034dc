//! What a source remembers of its readiness, so that an operation which will not block costs no
//! system call but its own.
//!
//! Where the backend has edges, the source is registered once, for what somebody has waited for so
//! far, and every event adds to what is remembered. Elsewhere it is armed for what somebody waits for
//! now. Either way it is forgotten by an operation that found nothing.
//!
//! All of it is in cells: whoever has the object looks at what it remembers without a look into the
//! table of sources, and nothing is borrowed when a waker, which is user code, is cloned or dropped.

mod crowd;
#[cfg(all(test, not(interloop_loom)))]
mod model;
mod names;
mod sole;

use std::cell::Cell;
use std::task::Waker;

use interloop_backends::{Interest, Mode, Readiness};

use crowd::Crowd;
pub(crate) use names::{Name, Names};
use sole::{Place, Sole, Waiting};

pub(crate) struct Cache {
    edges: bool,
    /// What a short operation proves, as an event tells of all that may cut one short.
    short: Interest,
    /// What the object is ready for, as far as anybody knows.
    known: Cell<Interest>,
    /// The object reported an end, an error or urgent data: a short read or write does not mean that
    /// the next one would block.
    ended: Cell<bool>,
    /// What somebody has waited for.
    asked: Cell<Interest>,
    /// What the source was told to want.
    told: Cell<Interest>,
    life: Cell<Life>,
    /// How many events came. An operation forgets only what was known when it began.
    events: Cell<u32>,
    /// Who waits, where it is one.
    sole: Sole,
    /// The others.
    crowd: Cell<Option<Box<Crowd>>>,
    /// True from when there were some.
    crowded: Cell<bool>,
}

/// Whether there will be events.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Live,
    /// The descriptor was closed behind our back, or the backend has failed.
    Lost,
    /// The source was removed.
    Gone,
}

/// What was known when an operation began: how many events had come.
pub(crate) type Ticket = u32;

/// Wakers that wait no more.
pub(crate) enum Replaced {
    Nothing,
    Dropped(#[expect(dead_code, reason = "held for its destructor")] Waker),
    /// They are to be woken.
    Purged(Vec<Waker>),
}

impl Cache {
    /// For a source of a backend with or without edges. It is ready for `known`, maybe, and will be
    /// asked for `asked`.
    pub(crate) fn new(edges: bool, known: Interest, asked: Interest) -> Cache {
        Cache {
            edges,
            short: Interest::NONE,
            known: Cell::new(known),
            ended: Cell::new(false),
            asked: Cell::new(asked),
            told: Cell::new(Interest::NONE),
            life: Cell::new(Life::Live),
            events: Cell::new(0),
            sole: Sole::new(),
            crowd: Cell::new(None),
            crowded: Cell::new(false),
        }
    }

    /// Lets short operations of these kinds prove that the next one would block.
    pub(crate) fn trust_short(mut self, short: Interest) -> Cache {
        self.short = short;
        self
    }

    pub(crate) fn mode(&self) -> Mode {
        if self.edges { Mode::Edge } else { Mode::Oneshot }
    }

    pub(crate) fn life(&self) -> Life {
        self.life.get()
    }

    /// What the source is to want from here on.
    #[inline]
    pub(crate) fn tell(&self) -> Interest {
        self.told.set(self.wanted());
        self.told.get()
    }

    /// What the source is to want, if it was told something else.
    #[inline]
    pub(crate) fn tell_change(&self) -> Option<Interest> {
        let before = self.told.get();
        Some(self.tell()).filter(|wanted| *wanted != before)
    }

    /// What the backend should hold.
    #[inline]
    fn wanted(&self) -> Interest {
        if self.edges {
            return self.asked.get();
        }
        self.waiting().without(self.known.get())
    }

    /// What all that wait wait for.
    fn waiting(&self) -> Interest {
        let crowd = self.with_crowd(|crowd| crowd.interest()).unwrap_or(Interest::NONE);
        self.sole.place().interest | crowd
    }

    /// Takes an event in, and takes out the first of those whose wait is over; unless `wake` says that it has
    /// woken him by his waker, which is kept then, for his next wait.
    #[inline]
    pub(crate) fn ready(
        &self,
        readiness: Readiness,
        wake: impl FnOnce(&Waker) -> bool,
    ) -> Option<Waker> {
        let all = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        self.known.set(self.known.get() | readiness.answers(all));
        let urgent = readiness.contains(Readiness::PRIORITY);
        let ended =
            readiness.is_closed() || readiness.is_error() || readiness.is_invalid() || urgent;
        self.ended.set(self.ended.get() | ended);
        if readiness.is_invalid() {
            self.life.set(Life::Lost);
        }
        self.events.set(self.events.get().wrapping_add(1));
        self.with_crowd(Crowd::heard);
        let known = self.known.get();
        if self.sole.wake_if(|one| one.interest.intersects(known), wake) {
            return None;
        }
        self.next_waker()
    }

    /// Takes out the next of those whose wait is over.
    #[inline]
    pub(crate) fn next_waker(&self) -> Option<Waker> {
        let known = self.known.get();
        self.take_if(|one| one.interest.intersects(known)).map(|(_, waker)| waker)
    }

    /// True when more than one may wait.
    pub(crate) fn is_crowded(&self) -> bool {
        self.crowded.get()
    }

    /// What is known for `interest`: the ticket to forget it with.
    pub(crate) fn ticket(&self, interest: Interest) -> Option<Ticket> {
        self.known.get().intersects(interest).then(|| self.events.get())
    }

    /// Lets `waker` wait for what is not known, in the place of what waits under the same name, unless it does
    /// already. A poll function that waits to read, and one that waits to write, are promised a wake each.
    #[inline]
    pub(crate) fn wait(&self, name: Name, interest: Interest, waker: &Waker) -> Replaced {
        let place = Place { name, interest };
        if self.is_empty() && self.sole.waits_again(place, waker) {
            self.asked.set(self.asked.get() | interest);
            return Replaced::Nothing;
        }
        self.begin_wait(place, waker)
    }

    fn begin_wait(&self, place: Place, waker: &Waker) -> Replaced {
        if !self.is_empty() && self.is_waiting(place, waker) {
            return Replaced::Nothing;
        }
        let waiting = Waiting { place, waker: waker.clone() };
        // To clone it was user code, which may have removed the source; or it ran a turn, and the event came
        // while nobody waited.
        if self.life.get() != Life::Live || self.known.get().intersects(place.interest) {
            return Replaced::Purged(vec![waiting.waker]);
        }
        self.asked.set(self.asked.get() | place.interest);
        if self.is_empty() {
            self.sole.put(waiting);
            return Replaced::Nothing;
        }
        let Place { name, .. } = place;
        let old = if name.is_some() { self.take_if(|one| one.name == name) } else { None };
        let purged = self.place(waiting);
        old.map_or(purged, |(_, waker)| Replaced::Dropped(waker))
    }

    /// True when nobody waits, and there was no crowd.
    #[inline]
    fn is_empty(&self) -> bool {
        self.sole.is_empty() && !self.crowded.get()
    }

    fn is_waiting(&self, place: Place, waker: &Waker) -> bool {
        let waits = |crowd: &mut Crowd| crowd.is_waiting(place, waker);
        self.sole.is_waiting(place, waker) || self.with_crowd(waits) == Some(true)
    }

    /// Gives one more a place.
    fn place(&self, waiting: Waiting) -> Replaced {
        let sole = self.sole.place();
        if self.sole.is_empty() {
            self.sole.put(waiting);
            return Replaced::Nothing;
        }
        let mut crowd = self.crowd.take().unwrap_or_default();
        self.crowded.set(true);
        let purged = crowd.push(waiting, usize::from(sole.name.is_none()));
        self.crowd.set(Some(crowd));
        match purged {
            Some(mut all) => {
                all.extend(self.sole.take_if(|sole| sole.name.is_none()));
                Replaced::Purged(all)
            }
            None => Replaced::Nothing,
        }
    }

    /// Takes out the first of those who wait of whom that is true.
    fn take_if(&self, is: impl Fn(Place) -> bool) -> Option<(Interest, Waker)> {
        let sole = self.sole.place();
        if let Some(waker) = self.sole.take_if(&is) {
            return Some((sole.interest, waker));
        }
        let waiting = self.with_crowd(|crowd| crowd.take_if(is))??;
        Some((waiting.place.interest, waiting.waker))
    }

    /// Ends the wait of a future, if it is not over. Its waker is to be dropped with no borrow held.
    #[inline]
    pub(crate) fn unwait(&self, name: Name) -> Option<Waker> {
        if self.is_empty() { None } else { self.end_wait(name) }
    }

    fn end_wait(&self, name: Name) -> Option<Waker> {
        let (interest, waker) = self.take_if(|one| one.name == name)?;
        if !self.edges && !self.waiting().intersects(interest) {
            // Nothing is armed for it any more, so no event would tell: the next operation asks.
            self.known.set(self.known.get() | interest);
        }
        Some(waker)
    }

    /// Forgets what an operation has disproved, unless an event came since its ticket.
    pub(crate) fn forget(&self, interest: Interest, ticket: Ticket) {
        if self.events.get() == ticket {
            self.known.set(self.known.get().without(interest));
            // An end leaves something to read for ever, and nothing else says that there is none.
            self.ended.set(self.ended.get() & !interest.contains(Interest::READABLE));
        }
    }

    /// As [`forget`](Cache::forget), for an operation that moved less than it could have: where there
    /// are edges, that emptied or filled the kernel's buffer, and the next change is an event. What cuts
    /// an operation short otherwise (an end, urgent data) is there already and will be no event: it must
    /// have been told.
    pub(crate) fn forget_short(&self, interest: Interest, ticket: Ticket) {
        if self.edges && self.short.contains(interest) && !self.ended.get() {
            self.forget(interest, ticket);
        }
    }

    /// Remembers nothing from here on, and gives out all who wait.
    pub(crate) fn close(&self) -> impl Iterator<Item = Waker> + use<> {
        self.life.set(Life::Gone);
        let sole = self.sole.take_if(|_| true);
        self.sole.forget();
        self.crowded.set(false);
        let crowd = self.crowd.take().into_iter().flat_map(|crowd| crowd.into_wakers());
        sole.into_iter().chain(crowd)
    }

    fn with_crowd<R>(&self, look: impl FnOnce(&mut Crowd) -> R) -> Option<R> {
        if !self.crowded.get() {
            return None;
        }
        let mut crowd = self.crowd.take()?;
        let seen = look(&mut crowd);
        self.crowd.set(Some(crowd));
        Some(seen)
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    pub(super) const READ: Interest = Interest::READABLE;

    #[test]
    fn who_waits_for_everything_is_found_by_a_long_name() {
        let names = Names::from(u64::from(u32::MAX));
        let (name, other) = (names.next(), names.next());
        let cache = Cache::new(true, Interest::NONE, READ);
        let all = READ | Interest::WRITABLE | Interest::PRIORITY;
        assert!(matches!(cache.wait(name, all, &waker()), Replaced::Nothing));
        assert!(cache.sole.place() == Place { name, interest: all });
        assert!(cache.unwait(other).is_none() && cache.unwait(name).is_some());
    }

    #[test]
    fn what_came_during_an_operation_is_not_forgotten() {
        let cache = Cache::new(true, READ, READ);
        let ticket = cache.ticket(READ).unwrap();
        cache.ready(Readiness::READABLE, |_| false);
        cache.forget(READ, ticket);
        let ticket = cache.ticket(READ).unwrap();
        cache.forget(READ, ticket);
        assert_eq!(cache.ticket(READ), None);
    }

    #[test]
    fn a_short_read_before_an_end_proves_nothing() {
        let cache = Cache::new(true, Interest::NONE, READ).trust_short(READ);
        cache.ready(Readiness::READABLE | Readiness::READ_CLOSED, |_| false);
        cache.forget_short(READ, cache.ticket(READ).unwrap());
        assert!(cache.ticket(READ).is_some());
        cache.forget(Interest::WRITABLE, cache.events.get());
        cache.forget_short(READ, cache.ticket(READ).unwrap());
        assert!(cache.ticket(READ).is_some(), "nor does a full buffer disprove the end");
        let levels = Cache::new(false, READ, READ);
        levels.forget_short(READ, levels.ticket(READ).unwrap());
        assert!(levels.ticket(READ).is_some());
    }

    #[test]
    fn a_short_read_is_not_followed_by_one_that_finds_nothing() {
        let cache = Cache::new(true, READ, READ).trust_short(READ);
        cache.forget_short(READ, cache.ticket(READ).unwrap());
        assert_eq!(cache.ticket(READ), None);
        let urgent = Cache::new(true, READ, READ).trust_short(READ);
        urgent.ready(Readiness::READABLE | Readiness::PRIORITY, |_| false);
        urgent.forget_short(READ, urgent.ticket(READ).unwrap());
        assert!(urgent.ticket(READ).is_some(), "urgent data has cut it short");
    }

    #[test]
    fn without_edges_only_what_is_waited_for_is_wanted() {
        let cache = Cache::new(false, READ, READ);
        assert_eq!(cache.wanted(), Interest::NONE);
        cache.forget(READ, cache.ticket(READ).unwrap());
        let id = Names::new().next();
        let _ = cache.wait(id, READ, Waker::noop());
        assert_eq!(cache.wanted(), READ);
        assert!(cache.unwait(id).is_some());
        assert_eq!(cache.wanted(), Interest::NONE);
        assert!(cache.ticket(READ).is_some(), "no event will tell, so the next operation asks");
    }

    pub(super) fn waker() -> Waker {
        struct Nothing;
        impl std::task::Wake for Nothing {
            fn wake(self: std::sync::Arc<Self>) {}
        }
        std::sync::Arc::new(Nothing).into()
    }

    #[test]
    fn a_poller_waits_once() {
        let cache = Cache::new(true, Interest::NONE, READ);
        let waker = waker();
        assert!(matches!(cache.wait(None, READ, &waker), Replaced::Nothing));
        assert!(matches!(cache.wait(None, READ, &waker), Replaced::Nothing));
        let woken = cache.ready(Readiness::READABLE, |_| false);
        assert!(woken.is_some_and(|woken| woken.will_wake(&waker)));
        assert!(cache.next_waker().is_none());
    }

    #[test]
    fn the_waker_of_one_who_was_woken_here_is_kept_for_his_next_wait_and_is_nobody_meanwhile() {
        let cache = Cache::new(true, Interest::NONE, READ);
        let (waker, wakes, names) = (waker(), Cell::new(0), Names::new());
        for _ in 0..2 {
            assert!(matches!(cache.wait(names.next(), READ, &waker), Replaced::Nothing));
            let wake = |kept: &Waker| {
                wakes.set(wakes.get() + 1);
                kept.will_wake(&waker)
            };
            assert!(cache.ready(Readiness::READABLE, wake).is_none());
            assert!(cache.ready(Readiness::READABLE, wake).is_none());
            cache.forget(READ, cache.ticket(READ).unwrap());
        }
        assert_eq!(wakes.get(), 2);
        assert_eq!(cache.waiting(), Interest::NONE);
        assert!(cache.close().next().is_none());
    }

    #[test]
    fn an_event_wakes_those_whom_it_answers_and_no_others() {
        let cache = Cache::new(true, Interest::NONE, READ);
        let (reader, writer, names) = (waker(), waker(), Names::new());
        let name = names.next();
        assert!(matches!(cache.wait(name, Interest::WRITABLE, &writer), Replaced::Nothing));
        assert!(matches!(cache.wait(None, READ, &reader), Replaced::Nothing));
        assert!(cache.is_crowded());
        let woken = cache.ready(Readiness::READABLE, |_| false);
        assert!(woken.is_some_and(|woken| woken.will_wake(&reader)));
        assert!(cache.next_waker().is_none());
        cache.forget(READ, cache.ticket(READ).unwrap());
        let moved = waker();
        assert!(matches!(cache.wait(name, READ, &moved), Replaced::Dropped(_)));
        assert!(cache.unwait(names.next()).is_none());
        assert!(cache.unwait(name).is_some_and(|last| last.will_wake(&moved)));
        assert!(cache.close().next().is_none());
    }

    #[test]
    fn a_source_that_is_removed_while_somebody_begins_to_wait_tells_so() {
        let cache = Cache::new(true, Interest::NONE, READ);
        drop(cache.close());
        assert!(
            matches!(cache.wait(None, READ, &waker()), Replaced::Purged(all) if all.len() == 1)
        );
    }

    #[test]
    fn many_pollers_do_not_wake_each_other_for_ever() {
        let cache = Cache::new(true, Interest::NONE, READ);
        let mut asking: Vec<Waker> = (0..100).map(|_| waker()).collect();
        let mut asked = 0;
        while let Some(waker) = asking.pop() {
            asked += 1;
            assert!(asked < 1000, "they wake each other");
            if let Replaced::Purged(all) = cache.wait(None, READ, &waker) {
                asking.extend(all);
            }
        }
        let first = cache.ready(Readiness::READABLE, |_| false);
        let woken = first.into_iter().chain(std::iter::from_fn(|| cache.next_waker())).count();
        assert_eq!(woken, 100);
    }

    #[test]
    fn pollers_who_lost_interest_are_forgotten() {
        let cache = Cache::new(true, Interest::NONE, READ);
        for _ in 0..1_000 {
            drop(cache.wait(None, READ, &waker()));
        }
        assert!(cache.close().count() <= 513, "the last room before they were too many");
    }
}
