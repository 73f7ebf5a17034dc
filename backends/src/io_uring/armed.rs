//! The armed registrations, and the requests that they have in the ring.

use std::io;

use rustix::event::PollFlags;
use rustix::io::Errno;

use super::ring::{Ring, Token};
use crate::changes::Entry;
use crate::poll_flags::{readiness, wanted};
use crate::{Key, Mode, Readiness};

struct Request {
    entry: Entry,
    /// The number of the request in the ring; none while it has yet to be submitted.
    number: Option<u32>,
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
        let old = self.requests[slot as usize].replace(Request { entry, number: None });
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
        while let Some(slot) = self.due.pop() {
            let Some(request) = &mut self.requests[slot as usize] else { continue };
            if request.number.is_some() {
                continue;
            }
            let number = self.next;
            self.next = self.next.wrapping_add(1);
            request.number = Some(number);
            let Entry { source, interest, mode, .. } = request.entry;
            let edges = mode == Mode::Edge;
            ring.poll(source, wanted(interest), edges, Token { slot, number })?;
        }
        Ok(())
    }

    /// True unless the request was left behind.
    pub(super) fn knows(&self, token: Token) -> bool {
        let request = self.requests.get(token.slot as usize).and_then(Option::as_ref);
        request.is_some_and(|request| request.number == Some(token.number))
    }

    /// Takes note of an answer: whose it is, and what happened. None for one to a request that was left
    /// behind.
    pub(super) fn answered(
        &mut self,
        token: Token,
        result: Result<PollFlags, Errno>,
        goes_on: bool,
    ) -> Option<(Key, Readiness)> {
        let place = self.requests.get_mut(token.slot as usize)?;
        let request = place.as_mut().filter(|request| request.number == Some(token.number))?;
        let key = request.entry.key;
        if !goes_on {
            request.number = None;
            self.due.push(token.slot);
        }
        match result {
            Ok(flags) => {
                if request.entry.mode == Mode::Oneshot {
                    *place = None;
                }
                Some((key, readiness(flags)))
            }
            // The kernel ended the request, and not what it asked for.
            Err(Errno::CANCELED) => None,
            Err(_) => {
                *place = None;
                Some((key, Readiness::INVALID))
            }
        }
    }
}

impl Request {
    fn token(self) -> Option<Token> {
        self.number.map(|number| Token { slot: self.entry.key.slot(), number })
    }
}
