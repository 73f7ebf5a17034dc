//! Waiting for what a source remembers.

use std::future::{Future, poll_fn};
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

use interloop_backends::{AsSource, Interest, Key};

use super::Async;
use crate::cache::{Cache, Replaced};
use crate::core::Core;

/// A wait of a future, which takes itself back when the future is dropped.
pub(super) struct Wait<'a> {
    core: &'a Rc<Core>,
    key: Key,
    interest: Interest,
    id: u64,
}

impl<'a> Wait<'a> {
    pub(super) fn new<T: AsSource + 'static>(object: &'a Async<T>, interest: Interest) -> Wait<'a> {
        let id = object.with_cache(Cache::new_id).unwrap_or(0);
        Wait { core: object.core(), key: object.key(), interest, id }
    }

    pub(super) fn ticket(&self) -> impl Future<Output = io::Result<u64>> + '_ {
        poll_fn(|cx| self.core.poll_cached(self.key, self.interest, Some(self.id), cx))
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let waker = self.core.sources.with_cache(self.key, |cache| cache.unwait(self.id));
        if let Some(Some(waker)) = waker {
            drop(waker);
            self.core.source_changed(self.key);
        }
    }
}

impl Core {
    /// The ticket of what a source is known to be ready for; or else the task waits for it, under
    /// the name `id` when it is a future's.
    pub(super) fn poll_cached(
        self: &Rc<Core>,
        key: Key,
        interest: Interest,
        id: Option<u64>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<u64>> {
        let known = self
            .shared
            .check()
            .map(|()| self.sources.with_cache(key, |cache| cache.ticket(interest)));
        let answer = match known {
            Err(error) => Some(Err(error)),
            Ok(None) => Some(Err(self.why_not(key))),
            Ok(Some(ticket)) => ticket.map(Ok),
        };
        if let Some(answer) = answer {
            return self.spend_credit(cx).map(|()| answer);
        }
        let waker = cx.waker();
        let waiting = self.sources.with_cache(key, |cache| cache.is_waiting(id, interest, waker));
        if waiting != Some(true) {
            // Wakers are user code: cloned before the borrow, and woken or dropped after it.
            let waker = waker.clone();
            match self.sources.with_cache(key, |cache| cache.wait(id, interest, waker)) {
                Some(Replaced::Purged(all)) => all.into_iter().for_each(|one| self.wake_user(one)),
                other => drop(other),
            }
            self.source_changed(key);
        }
        Poll::Pending
    }
}
