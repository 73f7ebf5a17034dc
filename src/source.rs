//! A registered I/O object, as the user holds it.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use interloop_backends::{AsSource, Interest, Key, Readiness};

use crate::core::Core;
use crate::label::Label;
use crate::shared::gone;
use crate::sources::{Lent, Registration};

/// An I/O object that the reactor watches, from [`Handle::register`](crate::Handle::register) or
/// [`source`](crate::Handle::source).
///
/// It stays on the host thread. Dropping it ends the registration and closes the object, as soon as
/// the backend has let go of it; [`detach`](Source::detach) lets it go, so that only its callback's
/// [`Action::Remove`](crate::Action::Remove), or the end of the reactor, ends it.
#[must_use = "dropping a source ends the registration; `detach` lets it go"]
pub struct Source<T> {
    // Dropped before the object, which is closed when the backend has let go of it.
    registration: Registration,
    object: Lent<T>,
}

impl<T: AsSource + 'static> Source<T> {
    pub(crate) fn new(registration: Registration, object: Lent<T>) -> Source<T> {
        Source { registration, object }
    }

    fn core(&self) -> &Rc<Core> {
        &self.registration.core
    }

    fn key(&self) -> Key {
        self.registration.key
    }

    /// Lends the object.
    pub fn get_ref(&self) -> &T {
        &self.object.io
    }

    /// Arms the callback for `interest`, besides what it is armed for. It fires once; what is ready
    /// already fires too.
    ///
    /// Called while the callback itself is running, it adds to what that returns, unless that is
    /// [`Disarm`](crate::Action::Disarm), [`RearmFor`](crate::Action::RearmFor) or
    /// [`Remove`](crate::Action::Remove).
    ///
    /// # Errors
    ///
    /// `NotConnected` when the source was removed, or the reactor has closed its sources;
    /// `BrokenPipe` once it was reported as [`INVALID`](Readiness::INVALID); `InvalidInput` when it
    /// was registered without a callback.
    pub fn arm(&self, interest: Interest) -> io::Result<()> {
        self.core().shared.check()?;
        // Armed with nobody to call, it would be reported again in every turn.
        if self.core().sources.has_callback(self.key()) == Some(false) {
            let message = "the source has no callback to arm; wait for it with ready()";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
        }
        match self.core().arm(self.key(), interest) {
            Some(true) => Ok(()),
            Some(false) => Err(lost()),
            None => Err(removed()),
        }
    }

    /// Disarms the callback: it fires no more, until it is armed.
    ///
    /// # Errors
    ///
    /// `NotConnected` when the source was removed, or the reactor has closed its sources.
    pub fn disarm(&self) -> io::Result<()> {
        self.core().shared.check()?;
        if self.core().disarm(self.key()) { Ok(()) } else { Err(removed()) }
    }

    /// Waits until the object is ready for `interest`.
    ///
    /// Any number of futures may wait on one source, for the same or for different interests, and
    /// beside its callback. Readiness is a hint; the operation itself may still answer `WouldBlock`.
    ///
    /// # Errors
    ///
    /// `NotConnected` when the source was removed, or the reactor has closed its sources;
    /// `BrokenPipe` once it was reported as [`INVALID`](Readiness::INVALID).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing: what is ready is still ready for the next.
    pub fn ready(&self, interest: Interest) -> Ready<'_> {
        Ready { core: self.core(), key: self.key(), interest, id: None }
    }

    /// True until the source is removed.
    pub fn is_registered(&self) -> bool {
        self.core().sources.is_live(self.key())
    }

    /// Names the source, for reports and dumps.
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Source<T> {
        self.core().sources.set_label(self.key(), Label::named(label));
        self
    }

    /// Ends the registration, as dropping the source does.
    pub fn remove(self) {}

    /// Lets the source go: it stays registered without anybody holding it.
    pub fn detach(self) {
        self.registration.detach();
    }
}

impl<T: fmt::Debug> fmt::Debug for Source<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Source { registration, object } = self;
        f.debug_struct("Source").field("key", &registration.key).field("io", &object.io).finish()
    }
}

/// A wait for readiness, from [`Source::ready`].
#[must_use = "futures do nothing unless polled"]
pub struct Ready<'a> {
    core: &'a Rc<Core>,
    key: Key,
    interest: Interest,
    id: Option<u64>,
}

impl Future for Ready<'_> {
    type Output = io::Result<Readiness>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<Readiness>> {
        if let Err(error) = self.core.shared.check() {
            return self.core.spend_credit(cx).map(|()| Err(error));
        }
        if self.id.is_none() {
            self.id = self.core.add_waiter(self.key, self.interest);
        }
        let came = self.id.and_then(|id| self.core.poll_waiter(self.key, id, cx.waker()));
        match came {
            Some(came) if came.is_none() => Poll::Pending,
            Some(came) => {
                self.id = None;
                Poll::Ready(Ok(came))
            }
            None => self.core.spend_credit(cx).map(|()| Err(self.why_not())),
        }
    }
}

impl Ready<'_> {
    /// Why the source can no longer be waited for.
    fn why_not(&self) -> io::Error {
        if self.core.sources.is_live(self.key) { lost() } else { removed() }
    }
}

impl Drop for Ready<'_> {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.core.remove_waiter(self.key, id);
        }
    }
}

impl fmt::Debug for Ready<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ready").field("key", &self.key).field("interest", &self.interest).finish()
    }
}

/// A wait that ended at once, each time, would keep a task that tries again from ever yielding.
pub(crate) fn lost() -> io::Error {
    let message = "the source is watched no more: its descriptor was closed elsewhere, or the \
                   backend has failed";
    io::Error::new(io::ErrorKind::BrokenPipe, message)
}

pub(crate) fn removed() -> io::Error {
    let gone = gone();
    io::Error::new(gone.kind(), "the source was removed from its reactor")
}

/// A refused registration: the error, and the object, which is handed back.
///
/// It converts to `io::Error`, so that `?` works where the object is not needed.
pub struct RegisterError<T> {
    /// Why it was refused.
    pub error: io::Error,
    /// The object, untouched.
    pub io: T,
}

impl<T> From<RegisterError<T>> for io::Error {
    fn from(refused: RegisterError<T>) -> io::Error {
        refused.error
    }
}

impl<T> fmt::Debug for RegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("RegisterError").field(&self.error).finish()
    }
}

impl<T> fmt::Display for RegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> std::error::Error for RegisterError<T> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}
