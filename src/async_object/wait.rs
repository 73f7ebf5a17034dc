//! Waiting for what a source remembers.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::task::{Context, Poll};

use interloop_backends::{AsSource, Interest};

use super::Async;
use crate::cache::{Life, Name, Replaced, Ticket};
use crate::source::{lost, removed};

/// A wait of a future, which takes itself back when the future is dropped.
pub(super) struct Wait<'a, T: AsSource + 'static> {
    object: &'a Async<T>,
    interest: Interest,
    /// None until it has to wait: an operation that need not is not known to the source.
    name: Cell<Name>,
}

impl<'a, T: AsSource + 'static> Wait<'a, T> {
    pub(super) fn new(object: &'a Async<T>, interest: Interest) -> Wait<'a, T> {
        Wait { object, interest, name: Cell::new(None) }
    }

    pub(super) fn ticket(&self) -> impl Future<Output = io::Result<Ticket>> + '_ {
        poll_fn(|cx| {
            let known = self.object.poll_known(self.interest, cx);
            known.unwrap_or_else(|| {
                if self.name.get().is_none() {
                    self.name.set(self.object.cache().new_name());
                }
                self.object.wait(self.name.get(), self.interest, cx);
                Poll::Pending
            })
        })
    }
}

impl<T: AsSource + 'static> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        let Some(name) = self.name.get() else { return };
        if let Some(waker) = self.object.cache().unwait(Some(name)) {
            drop(waker);
            self.object.want();
        }
    }
}

impl<T: AsSource + 'static> Async<T> {
    /// The ticket of what the object is known to be ready for; or else the task waits for it, as the
    /// caller of a poll function.
    pub(super) fn poll_ticket(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Ticket>> {
        self.poll_known(interest, cx).unwrap_or_else(|| {
            self.wait(None, interest, cx);
            Poll::Pending
        })
    }

    /// None when the object is not known to be ready, and has to be waited for.
    fn poll_known(
        &self,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Option<Poll<io::Result<Ticket>>> {
        let answer = match (self.core().shared.check(), self.cache().life()) {
            (Err(error), _) => Err(error),
            (Ok(()), Life::Live) => Ok(self.cache().ticket(interest)?),
            (Ok(()), Life::Lost) => Err(lost()),
            (Ok(()), Life::Gone) => Err(removed()),
        };
        Some(self.core().spend_credit(cx).map(|()| answer))
    }

    /// Lets the task wait, under its name when it is a future's.
    fn wait(&self, name: Name, interest: Interest, cx: &mut Context<'_>) {
        match self.cache().wait(name, interest, cx.waker()) {
            Replaced::Purged(all) => all.into_iter().for_each(|one| self.core().wake_user(one)),
            other => drop(other),
        }
        self.want();
    }

    /// Tells the source what those want who wait, if that has changed.
    fn want(&self) {
        if let Some(wanted) = self.cache().tell_change() {
            self.core().want(self.registration.key, wanted);
        }
    }
}
