//! What a source remembers of its readiness, so that an operation which will not block costs no
//! system call but its own.
//!
//! Where the backend has edges, the source is registered once, for what somebody has waited for so
//! far, and every event adds to what is remembered. Elsewhere it is armed for what somebody waits for
//! now. Either way it is forgotten by an operation that found nothing.

use std::task::Waker;

use interloop_backends::{Interest, Mode, Readiness};

pub(crate) struct Cache {
    edges: bool,
    /// What a short operation proves, as an event tells of all that may cut one short.
    short: Interest,
    /// What the object is ready for, as far as anybody knows.
    known: Interest,
    /// The object reported an end, an error or urgent data: a short read or write does not mean that
    /// the next one would block.
    ended: bool,
    /// How many events came. An operation forgets only what was known when it began.
    events: u64,
    /// What somebody has waited for.
    asked: Interest,
    waiting: Vec<Waiting>,
    /// How many callers of poll functions may wait.
    room: usize,
    next_id: u64,
}

struct Waiting {
    /// None for a poll function, which nobody tells when its caller loses interest.
    id: Option<u64>,
    interest: Interest,
    waker: Waker,
}

/// How many callers of poll functions are remembered for one source, at first and at most. One too
/// many, and all are woken, to ask again: those who have lost interest do not. Until the next event
/// there is then room for twice as many, so that those who have not do not wake each other for ever.
const POLLERS: (usize, usize) = (8, 65_536);

/// Wakers that wait no more, to be dropped or woken with no borrow held.
pub(crate) enum Replaced {
    Nothing,
    Dropped(#[expect(dead_code, reason = "held for its destructor")] Waker),
    Purged(Vec<Waker>),
}

impl Cache {
    /// For a source of a backend with or without edges. It is ready for `known`, maybe, and will be
    /// asked for `asked`.
    pub(crate) fn new(edges: bool, known: Interest, asked: Interest) -> Cache {
        Cache {
            edges,
            short: Interest::NONE,
            known,
            ended: false,
            events: 0,
            asked,
            waiting: Vec::new(),
            room: POLLERS.0,
            next_id: 0,
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

    /// What the backend should hold.
    pub(crate) fn wanted(&self) -> Interest {
        if self.edges {
            return self.asked;
        }
        let waiting = self.waiting.iter().fold(Interest::NONE, |all, one| all | one.interest);
        waiting.without(self.known)
    }

    /// Takes an event in.
    pub(crate) fn ready(&mut self, readiness: Readiness) {
        let all = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        self.known |= readiness.answers(all);
        let urgent = readiness.contains(Readiness::PRIORITY);
        self.ended |=
            readiness.is_closed() || readiness.is_error() || readiness.is_invalid() || urgent;
        self.events += 1;
        self.room = POLLERS.0;
    }

    /// Takes out the next of those whose wait is over.
    pub(crate) fn next_waker(&mut self) -> Option<Waker> {
        let over = |waiting: &Waiting| waiting.interest.intersects(self.known);
        let at = self.waiting.iter().position(over)?;
        Some(self.waiting.remove(at).waker)
    }

    /// What is known for `interest`: the ticket to forget it with.
    pub(crate) fn ticket(&self, interest: Interest) -> Option<u64> {
        self.known.intersects(interest).then_some(self.events)
    }

    /// True when `waker` waits already.
    pub(crate) fn is_waiting(&self, id: Option<u64>, interest: Interest, waker: &Waker) -> bool {
        let same =
            |one: &Waiting| one.id == id && one.interest == interest && one.waker.will_wake(waker);
        self.waiting.iter().any(same)
    }

    /// Gives out the name of a future that waits.
    pub(crate) fn new_id(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }

    /// Lets `waker` wait, in the place of what waits under the same name.
    pub(crate) fn wait(&mut self, id: Option<u64>, interest: Interest, waker: Waker) -> Replaced {
        self.asked |= interest;
        let waiting = Waiting { id, interest, waker };
        // A poll function that waits to read, and one that waits to write, are promised a wake each.
        let same = |one: &Waiting| match id {
            Some(_) => one.id == id,
            None => {
                let same = one.id.is_none() && one.interest == interest;
                same && one.waker.will_wake(&waiting.waker)
            }
        };
        if let Some(at) = self.waiting.iter().position(same) {
            let old = std::mem::replace(&mut self.waiting[at], waiting);
            return Replaced::Dropped(old.waker);
        }
        let pollers = self.waiting.iter().filter(|one| one.id.is_none()).count();
        let full = id.is_none() && pollers >= self.room;
        let purged = if full { self.purge() } else { Replaced::Nothing };
        self.waiting.push(waiting);
        purged
    }

    fn purge(&mut self) -> Replaced {
        self.room = (self.room * 2).min(POLLERS.1);
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let (pollers, futures): (Vec<_>, Vec<_>) = waiting.partition(|one| one.id.is_none());
        self.waiting = futures;
        Replaced::Purged(pollers.into_iter().map(|one| one.waker).collect())
    }

    /// Ends the wait of a future. Its waker is to be dropped with no borrow held.
    pub(crate) fn unwait(&mut self, id: u64) -> Option<Waker> {
        let at = self.waiting.iter().position(|one| one.id == Some(id))?;
        let gone = self.waiting.remove(at);
        if !self.edges && !self.waiting.iter().any(|one| one.interest.intersects(gone.interest)) {
            // Nothing is armed for it any more, so no event would tell: the next operation asks.
            self.known |= gone.interest;
        }
        Some(gone.waker)
    }

    /// Forgets what an operation has disproved, unless an event came since its ticket.
    pub(crate) fn forget(&mut self, interest: Interest, ticket: u64) {
        if self.events == ticket {
            self.known = self.known.without(interest);
            // An end leaves something to read for ever, and nothing else says that there is none.
            self.ended &= !interest.contains(Interest::READABLE);
        }
    }

    /// As [`forget`](Cache::forget), for an operation that moved less than it could have: where there
    /// are edges, that emptied or filled the kernel's buffer, and the next change is an event. What cuts
    /// an operation short otherwise (an end, urgent data) is there already and will be no event: it must
    /// have been told.
    pub(crate) fn forget_short(&mut self, interest: Interest, ticket: u64) {
        if self.edges && self.short.contains(interest) && !self.ended {
            self.forget(interest, ticket);
        }
    }

    pub(crate) fn into_wakers(self) -> impl Iterator<Item = Waker> {
        self.waiting.into_iter().map(|waiting| waiting.waker)
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    const READ: Interest = Interest::READABLE;

    #[test]
    fn what_came_during_an_operation_is_not_forgotten() {
        let mut cache = Cache::new(true, READ, READ);
        let ticket = cache.ticket(READ).unwrap();
        cache.ready(Readiness::READABLE);
        cache.forget(READ, ticket);
        let ticket = cache.ticket(READ).unwrap();
        cache.forget(READ, ticket);
        assert_eq!(cache.ticket(READ), None);
    }

    #[test]
    fn a_short_read_before_an_end_proves_nothing() {
        let mut cache = Cache::new(true, Interest::NONE, READ).trust_short(READ);
        cache.ready(Readiness::READABLE | Readiness::READ_CLOSED);
        cache.forget_short(READ, cache.ticket(READ).unwrap());
        assert!(cache.ticket(READ).is_some());
        cache.forget(Interest::WRITABLE, cache.events);
        cache.forget_short(READ, cache.ticket(READ).unwrap());
        assert!(cache.ticket(READ).is_some(), "nor does a full buffer disprove the end");
        let mut levels = Cache::new(false, READ, READ);
        levels.forget_short(READ, levels.ticket(READ).unwrap());
        assert!(levels.ticket(READ).is_some());
    }

    #[test]
    fn a_short_read_is_not_followed_by_one_that_finds_nothing() {
        let mut cache = Cache::new(true, READ, READ).trust_short(READ);
        cache.forget_short(READ, cache.ticket(READ).unwrap());
        assert_eq!(cache.ticket(READ), None);
        let mut urgent = Cache::new(true, READ, READ).trust_short(READ);
        urgent.ready(Readiness::READABLE | Readiness::PRIORITY);
        urgent.forget_short(READ, urgent.ticket(READ).unwrap());
        assert!(urgent.ticket(READ).is_some(), "urgent data has cut it short");
    }

    #[test]
    fn without_edges_only_what_is_waited_for_is_wanted() {
        let mut cache = Cache::new(false, READ, READ);
        assert_eq!(cache.wanted(), Interest::NONE);
        cache.forget(READ, cache.ticket(READ).unwrap());
        let id = cache.new_id();
        let _ = cache.wait(Some(id), READ, Waker::noop().clone());
        assert_eq!(cache.wanted(), READ);
        assert!(cache.unwait(id).is_some());
        assert_eq!(cache.wanted(), Interest::NONE);
        assert!(cache.ticket(READ).is_some(), "no event will tell, so the next operation asks");
    }

    fn waker() -> Waker {
        struct Nothing;
        impl std::task::Wake for Nothing {
            fn wake(self: std::sync::Arc<Self>) {}
        }
        std::sync::Arc::new(Nothing).into()
    }

    #[test]
    fn a_poller_waits_once() {
        let mut cache = Cache::new(true, Interest::NONE, READ);
        let waker = waker();
        assert!(matches!(cache.wait(None, READ, waker.clone()), Replaced::Nothing));
        assert!(matches!(cache.wait(None, READ, waker.clone()), Replaced::Dropped(_)));
        assert!(cache.is_waiting(None, READ, &waker));
        cache.ready(Readiness::READABLE);
        assert!(cache.next_waker().is_some_and(|woken| woken.will_wake(&waker)));
        assert!(cache.next_waker().is_none());
    }

    #[test]
    fn many_pollers_do_not_wake_each_other_for_ever() {
        let mut cache = Cache::new(true, Interest::NONE, READ);
        let mut asking: Vec<Waker> = (0..100).map(|_| waker()).collect();
        let mut asked = 0;
        while let Some(waker) = asking.pop() {
            asked += 1;
            assert!(asked < 1000, "they wake each other");
            if let Replaced::Purged(all) = cache.wait(None, READ, waker) {
                asking.extend(all);
            }
        }
        cache.ready(Readiness::READABLE);
        let woken = std::iter::from_fn(|| cache.next_waker()).count();
        assert_eq!(woken, 100);
    }

    #[test]
    fn pollers_who_lost_interest_are_forgotten() {
        let mut cache = Cache::new(true, Interest::NONE, READ);
        for _ in 0..1_000 {
            drop(cache.wait(None, READ, waker()));
        }
        assert!(cache.waiting.len() <= 512, "the last room before they were too many");
    }
}
