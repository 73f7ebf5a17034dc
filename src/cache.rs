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
    /// An event tells of the peer's end.
    ends: bool,
    /// What the object is ready for, as far as anybody knows.
    known: Interest,
    /// The object reported an end or an error: a short read or write does not mean that the next one
    /// would block.
    ended: bool,
    /// How many events came. An operation forgets only what was known when it began.
    events: u64,
    /// What somebody has waited for.
    asked: Interest,
    waiting: Vec<Waiting>,
    next_id: u64,
}

struct Waiting {
    /// None for a poll function, which nobody tells when its caller loses interest.
    id: Option<u64>,
    interest: Interest,
    waker: Waker,
}

/// How many callers of poll functions are remembered for one source. There is no limit to how many
/// may wait: one too many wakes the oldest, which will ask again.
const MOST_POLLERS: usize = 8;

/// A waker whose wait has ended, to be dropped or woken with no borrow held.
pub(crate) enum Replaced {
    Nothing,
    Dropped(#[expect(dead_code, reason = "held for its destructor")] Waker),
    Evicted(Waker),
}

impl Cache {
    /// For a source of a backend with or without edges, whose events tell of ends or do not. It is
    /// ready for `known`, maybe, and will be asked for `asked`.
    pub(crate) fn new(edges: bool, ends: bool, known: Interest, asked: Interest) -> Cache {
        Cache {
            edges,
            ends,
            known,
            ended: false,
            events: 0,
            asked,
            waiting: Vec::new(),
            next_id: 0,
        }
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
        self.ended |= readiness.is_closed() || readiness.is_error() || readiness.is_invalid();
        self.events += 1;
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
        let same = |one: &Waiting| {
            one.id == id && one.interest.contains(interest) && one.waker.will_wake(waker)
        };
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
        let same = |one: &Waiting| match id {
            Some(_) => one.id == id,
            None => one.id.is_none() && one.waker.will_wake(&waiting.waker),
        };
        if let Some(at) = self.waiting.iter().position(same) {
            let interest = self.waiting[at].interest | interest;
            let old = std::mem::replace(&mut self.waiting[at], Waiting { interest, ..waiting });
            return Replaced::Dropped(old.waker);
        }
        self.waiting.push(waiting);
        let pollers = self.waiting.iter().filter(|one| one.id.is_none()).count();
        if pollers <= MOST_POLLERS {
            return Replaced::Nothing;
        }
        let oldest = self.waiting.iter().position(|one| one.id.is_none());
        oldest.map_or(Replaced::Nothing, |at| Replaced::Evicted(self.waiting.remove(at).waker))
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
    /// are edges, that empties or fills the kernel's buffer, and the next change is an event. An end
    /// that is there already will be none: it must have been told.
    pub(crate) fn forget_short(&mut self, interest: Interest, ticket: u64) {
        if self.edges && self.ends && !self.ended {
            self.forget(interest, ticket);
        }
    }

    pub(crate) fn has_edges(&self) -> bool {
        self.edges
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
        let mut cache = Cache::new(true, true, READ, READ);
        let ticket = cache.ticket(READ).unwrap();
        cache.ready(Readiness::READABLE);
        cache.forget(READ, ticket);
        let ticket = cache.ticket(READ).unwrap();
        cache.forget(READ, ticket);
        assert_eq!(cache.ticket(READ), None);
    }

    #[test]
    fn a_short_read_before_an_end_proves_nothing() {
        let mut cache = Cache::new(true, true, Interest::NONE, READ);
        cache.ready(Readiness::READABLE | Readiness::READ_CLOSED);
        cache.forget_short(READ, cache.ticket(READ).unwrap());
        assert!(cache.ticket(READ).is_some());
        cache.forget(Interest::WRITABLE, cache.events);
        cache.forget_short(READ, cache.ticket(READ).unwrap());
        assert!(cache.ticket(READ).is_some(), "nor does a full buffer disprove the end");
        let mut levels = Cache::new(false, true, READ, READ);
        levels.forget_short(READ, levels.ticket(READ).unwrap());
        assert!(levels.ticket(READ).is_some());
    }

    #[test]
    fn without_edges_only_what_is_waited_for_is_wanted() {
        let mut cache = Cache::new(false, true, READ, READ);
        assert_eq!(cache.wanted(), Interest::NONE);
        cache.forget(READ, cache.ticket(READ).unwrap());
        let id = cache.new_id();
        let _ = cache.wait(Some(id), READ, Waker::noop().clone());
        assert_eq!(cache.wanted(), READ);
        assert!(cache.unwait(id).is_some());
        assert_eq!(cache.wanted(), Interest::NONE);
        assert!(cache.ticket(READ).is_some(), "no event will tell, so the next operation asks");
    }

    #[test]
    fn one_poller_too_many_wakes_the_oldest() {
        use std::sync::Arc;
        use std::task::Wake;

        struct Nothing;
        impl Wake for Nothing {
            fn wake(self: Arc<Self>) {}
        }
        let mut cache = Cache::new(true, true, Interest::NONE, READ);
        let wakers: Vec<Waker> = (0..9).map(|_| Arc::new(Nothing).into()).collect();
        for waker in &wakers[..8] {
            assert!(matches!(cache.wait(None, READ, waker.clone()), Replaced::Nothing));
        }
        let same = cache.wait(None, READ, wakers[3].clone());
        assert!(matches!(same, Replaced::Dropped(_)));
        let Replaced::Evicted(evicted) = cache.wait(None, READ, wakers[8].clone()) else {
            panic!("nobody was evicted");
        };
        assert!(evicted.will_wake(&wakers[0]));
    }
}
