//! Waiting for what a source remembers.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

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

    /// Waits until the object may be ready.
    pub(super) async fn ticket(&self) -> io::Result<Ticket> {
        poll_fn(|cx| self.object.poll_ticket(Some(&self.name), self.interest, cx)).await
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

/// An operation that is tried until it does not answer `WouldBlock`.
pub(super) struct Operation<'a, T: AsSource + 'static, F> {
    wait: Wait<'a, T>,
    operation: F,
}

// Nobody has a pinned reference to what is in it.
impl<T: AsSource + 'static, F> Unpin for Operation<'_, T, F> {}

impl<'a, T: AsSource + 'static, F> Operation<'a, T, F> {
    pub(super) fn new(object: &'a Async<T>, interest: Interest, operation: F) -> Self {
        Operation { wait: Wait::new(object, interest), operation }
    }
}

impl<T, F, R> Future for Operation<'_, T, F>
where
    T: AsSource + 'static,
    F: FnMut(&T) -> io::Result<R>,
{
    type Output = io::Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        let Operation { wait, operation } = &mut *self;
        wait.object.poll_attempts(Some(&wait.name), cx, wait.interest, operation, |_| false)
    }
}

impl<T: AsSource + 'static> Async<T> {
    /// Tries an operation until it does not answer `WouldBlock`. `name` has the name of a future that
    /// waits; without it this is a poll function. `is_short` tells that an operation moved less than it
    /// could have.
    pub(super) fn poll_attempts<R>(
        &self,
        name: Option<&Cell<Name>>,
        cx: &mut Context<'_>,
        interest: Interest,
        operation: &mut impl FnMut(&T) -> io::Result<R>,
        is_short: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        loop {
            let ticket = ready!(self.poll_ticket(name, interest, cx))?;
            match operation(self.get_ref()) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.cache().forget(interest, ticket);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(done) => {
                    if is_short(&done) {
                        self.cache().forget_short(interest, ticket);
                    }
                    return Poll::Ready(Ok(done));
                }
                error => return Poll::Ready(error),
            }
        }
    }

    /// The ticket of what the object is known to be ready for; or else the task waits for it.
    fn poll_ticket(
        &self,
        name: Option<&Cell<Name>>,
        interest: Interest,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Ticket>> {
        let (core, cache) = (self.core(), self.cache());
        // When the reactor is over, the source is gone.
        if cache.life() != Life::Live || !core.shared.process.is_current() {
            return core.spend_credit(cx).map(|()| Err(self.why_not()));
        }
        match cache.ticket(interest) {
            Some(ticket) => core.spend_credit(cx).map(|()| Ok(ticket)),
            None => {
                self.wait(name, interest, cx);
                Poll::Pending
            }
        }
    }

    /// Lets the task wait, under its name when it is a future's.
    fn wait(&self, name: Option<&Cell<Name>>, interest: Interest, cx: &mut Context<'_>) {
        let name = name.and_then(|name| {
            name.set(name.get().or_else(|| self.core().names.next()));
            name.get()
        });
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

    /// Why it can no longer be waited for.
    #[cold]
    fn why_not(&self) -> io::Error {
        match self.core().shared.check() {
            Err(error) => error,
            Ok(()) if self.cache().life() == Life::Gone => removed(),
            Ok(()) => lost(),
        }
    }
}
