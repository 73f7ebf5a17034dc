//! Waiting for what a source remembers.

use std::cell::Cell;
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
    /// None until it has to wait: an operation that need not is not known to the source.
    id: Cell<Option<u64>>,
}

impl<'a> Wait<'a> {
    pub(super) fn new<T: AsSource + 'static>(object: &'a Async<T>, interest: Interest) -> Wait<'a> {
        Wait { core: object.core(), key: object.key(), interest, id: Cell::new(None) }
    }

    pub(super) fn ticket(&self) -> impl Future<Output = io::Result<u64>> + '_ {
        poll_fn(|cx| {
            let known = self.core.poll_known(self.key, self.interest, cx);
            known.unwrap_or_else(|| {
                if self.id.get().is_none() {
                    self.id.set(self.core.sources.with_cache(self.key, Cache::new_id));
                }
                self.core.wait_cached(self.key, self.interest, self.id.get(), cx);
                Poll::Pending
            })
        })
    }
}

impl Drop for Wait<'_> {
    fn drop(&mut self) {
        let Some(id) = self.id.get() else { return };
        let waker = self.core.sources.with_cache(self.key, |cache| cache.unwait(id));
        if let Some(Some(waker)) = waker {
            drop(waker);
            self.core.source_changed(self.key);
        }
    }
}

impl Core {
    /// The ticket of what a source is known to be ready for; or else the task waits for it.
    pub(super) fn poll_cached(
        self: &Rc<Core>,
        key: Key,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<u64>> {
        self.poll_known(key, interest, cx).unwrap_or_else(|| {
            self.wait_cached(key, interest, None, cx);
            Poll::Pending
        })
    }

    /// None when the source is not known to be ready, and has to be waited for.
    fn poll_known(
        &self,
        key: Key,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Option<Poll<io::Result<u64>>> {
        let known = self
            .shared
            .check()
            .map(|()| self.sources.with_cache(key, |cache| cache.ticket(interest)));
        let answer = match known {
            Err(error) => Err(error),
            Ok(None) => Err(self.why_not(key)),
            Ok(Some(ticket)) => Ok(ticket?),
        };
        Some(self.spend_credit(cx).map(|()| answer))
    }

    /// Lets the task wait, under the name `id` when it is a future's.
    fn wait_cached(
        self: &Rc<Core>,
        key: Key,
        interest: Interest,
        id: Option<u64>,
        cx: &mut Context<'_>,
    ) {
        let waker = cx.waker();
        let waiting = self.sources.with_cache(key, |cache| cache.is_waiting(id, interest, waker));
        if waiting == Some(true) {
            return;
        }
        // Wakers are user code: cloned before the borrow, and woken or dropped after it.
        let waker = waker.clone();
        match self.sources.with_cache(key, |cache| cache.wait(id, interest, waker)) {
            Some(Replaced::Purged(all)) => all.into_iter().for_each(|one| self.wake_user(one)),
            other => drop(other),
        }
        self.source_changed(key);
    }
}
