//! The armed registrations, and the requests that they have in the ring.

use std::io;

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::ring::{Ring, Token};
use crate::changes::Entry;
use crate::poll_flags::{readiness, wanted};
use crate::source::look;
use crate::{Interest, Key, Mode, Readiness};

struct Request {
    entry: Entry,
    /// The number of the request in the ring; none while it has yet to be submitted.
    number: Option<u32>,
    /// True once an answer has said nothing that was asked for: what it said may stay true for long, and a request that is
    /// answered once would be answered again at once.
    by_edge: bool,
}

/// What an answer comes to.
#[derive(Default)]
pub(super) struct Answered {
    pub(super) event: Option<(Key, Readiness)>,
    /// A request that goes on, and must not.
    pub(super) stale: Option<Token>,
}

/// What is armed, by the slots of the keys. The waiting thread owns it.
#[derive(Default)]
pub(super) struct Armed {
    requests: Vec<Option<Request>>,
    /// The slots of those that may have to be submitted.
    due: Vec<u32>,
    /// The number of the next request. It comes round after 2^32 of them, by when the answer to a
    /// cancelled one with the same number is long out of the ring.
    next: u32,
}

impl Armed {
    /// Arms `entry` in the place of what its slot was armed for, and answers with the request that this
    /// leaves behind.
    pub(super) fn arm(&mut self, entry: Entry) -> Option<Token> {
        let slot = entry.key.slot();
        if self.requests.len() <= slot as usize {
            self.requests.resize_with(slot as usize + 1, || None);
        }
        self.due.push(slot);
        let request = Request { entry, number: None, by_edge: false };
        let old = self.requests[slot as usize].replace(request);
        old?.token()
    }

    /// Disarms `key`, and answers with the request that this leaves behind.
    pub(super) fn disarm(&mut self, key: Key) -> Option<Token> {
        let place = self.requests.get_mut(key.slot() as usize)?;
        place.take_if(|request| request.entry.key == key)?.token()
    }

    /// The requests are in a ring that is gone.
    pub(super) fn move_to_another_ring(&mut self) {
        self.due.clear();
        for (slot, request) in (0..).zip(&mut self.requests) {
            if let Some(request) = request {
                request.number = None;
                self.due.push(slot);
            }
        }
    }

    /// Puts the requests into the ring that are not there.
    pub(super) fn submit(&mut self, ring: &mut Ring) -> io::Result<()> {
        while let Some(&slot) = self.due.last() {
            let request = self.requests[slot as usize].as_mut();
            if let Some(request) = request.filter(|request| request.number.is_none()) {
                let Entry { source, interest, mode, .. } = request.entry;
                let (number, edges) = (self.next, mode == Mode::Edge || request.by_edge);
                ring.poll(source, asked(interest), edges, Token { slot, number })?;
                self.next = number.wrapping_add(1);
                request.number = Some(number);
            }
            // Where the kernel has refused it, it is due still.
            self.due.pop();
        }
        Ok(())
    }

    /// True unless the request was left behind.
    pub(super) fn knows(&self, token: Token) -> bool {
        let request = self.requests.get(token.slot as usize).and_then(Option::as_ref);
        request.is_some_and(|request| request.number == Some(token.number))
    }

    /// Takes note of an answer: whose it is, and what happened. Nothing for one to a request that was left
    /// behind.
    pub(super) fn answered(
        &mut self,
        token: Token,
        result: Result<PollFlags, Errno>,
        goes_on: bool,
    ) -> Answered {
        let nothing = Answered::default();
        let Some(place) = self.requests.get_mut(token.slot as usize) else { return nothing };
        let Some(request) = place.as_mut().filter(|request| request.number == Some(token.number))
        else {
            return nothing;
        };
        let Entry { key, mode, .. } = request.entry;
        if !goes_on {
            request.number = None;
            self.due.push(token.slot);
        }
        let told = match result {
            Ok(flags) => told(&request.entry, flags),
            // The kernel ended the request, and not what it asked for.
            Err(Errno::CANCELED) => return nothing,
            Err(_) => Readiness::INVALID,
        };
        if told.is_none() {
            request.by_edge = true;
            return nothing;
        }
        let event = Some((key, told));
        request.by_edge = false;
        // What is not to be told by edge is asked for anew.
        let ends = mode != Mode::Edge && goes_on;
        if ends {
            request.number = None;
            self.due.push(token.slot);
        }
        if mode == Mode::Oneshot || result.is_err() {
            *place = None;
        }
        Answered { event, stale: ends.then_some(token) }
    }
}

/// What is asked of the kernel for an interest. It does not wake a request for urgent data alone.
fn asked(interest: Interest) -> PollFlags {
    let wanted = wanted(interest);
    if wanted.contains(PollFlags::PRI) { wanted | PollFlags::IN } else { wanted }
}

/// What of an answer was asked for. The kernel adds half-closes to every request. An answer that a wake has brought
/// has what that wake was about, which is urgent data wherever there may be any: then the object is asked.
fn told(entry: &Entry, flags: PollFlags) -> Readiness {
    const ALWAYS: PollFlags = PollFlags::HUP.union(PollFlags::ERR).union(PollFlags::NVAL);
    let wanted = wanted(entry.interest);
    if flags.contains(PollFlags::PRI) && wanted.contains(PollFlags::PRI) {
        return look(entry.source, entry.interest).unwrap_or(Readiness::INVALID);
    }
    readiness(flags & (wanted | ALWAYS))
}

impl Request {
    fn token(self) -> Option<Token> {
        self.number.map(|number| Token { slot: self.entry.key.slot(), number })
    }
}
