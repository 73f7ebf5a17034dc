//! The signals of the operating system as a stream, on the host thread.
//!
//! ```
//! use interloop::signal::{Signal, signals};
//! use interloop::Reactor;
//!
//! let reactor = Reactor::new()?;
//! let mut asked_to_end = signals(&reactor, &[Signal::INT, Signal::TERM])?;
//! # signal_hook::low_level::raise(Signal::TERM.number())?;
//! let handle = reactor.handle();
//! reactor.spawn_local(async move {
//!     let signal = asked_to_end.recv().await.expect("the reactor lives");
//!     println!("{signal}: ending");
//!     handle.stop();
//! }).detach();
//! reactor.run()?;
//! # std::io::Result::Ok(())
//! ```
//!
//! # What becomes of the host's own handlers
//!
//! Nothing is taken before [`signals`] is called, and all is given back when the [`Signals`] are
//! dropped. While anybody in the process listens to a signal, what was its action (to end the
//! process, to ignore it, or a function of the host's) is replaced with the handler of the crate
//! `signal-hook`. When the last one is dropped, on whatever thread, the old action is put back, unless
//! somebody has changed it meanwhile: then it is left as it is, and a stream hears what that one's
//! handler passes on. The handlers stay where the reactor has stopped and the [`Signals`] are still
//! kept.
//!
//! A function that was the action is called all the same, in the signal handler, before the streams
//! hear. It is that from before the *first* subscription in the process: `signal-hook` remembers it
//! for good, and goes on to call it where the host has a different one by the time of the second. Nor
//! can it be told that this program uses `signal-hook` on the same signal by itself, beside this
//! module, and had begun with that during a subscription: the end of the subscription ends that too.
//!
//! # What a signal tells
//!
//! That it came at least once since it was heard last: several of one kind become one. None is lost:
//! of a thousand, one at least is heard after the last. The order between kinds is not kept. A signal
//! that every thread of the process blocks does not come at all.
//!
//! # Forked children
//!
//! A child that does not exec keeps the handlers and what they write to, so that a signal to it has no
//! effect there. It tells the parent nothing either. One that execs, as [`Command`](std::process::Command) makes it,
//! begins with default actions, but for what is ignored.

mod action;
mod number;
mod subscription;

use std::fmt;
use std::io::{self, Read};
use std::mem;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_core::Stream;

pub use number::Signal;
use subscription::Subscription;

use crate::async_object::Async;
use crate::handle::Handle;
use crate::task::Task;

/// Listens to signals of this process, in this reactor. Any number of reactors, on any threads, may
/// listen to the same.
///
/// # Errors
///
/// `InvalidInput` for a signal that cannot be caught, `SIGKILL` and `SIGSTOP`; for one that stands
/// for a broken program, `SIGSEGV`, `SIGILL` and `SIGFPE`, after which no program goes on; and for a
/// number that is none. As [`Async::new`](crate::Async::new); what the operating system said when no
/// descriptor was left. Nothing is taken then.
#[track_caller]
pub fn signals(handle: &Handle, signals: &[Signal]) -> io::Result<Signals> {
    signals.iter().try_for_each(|signal| signal.check())?;
    let (told, tell) = UnixStream::pair()?;
    // First, so that nothing is taken where nobody would listen.
    let told = Async::new(handle, told)?;
    let subscribe = |signal: &Signal| Subscription::new(*signal, tell.try_clone()?);
    let subscriptions = signals.iter().map(subscribe).collect::<io::Result<Vec<_>>>()?;
    Ok(Signals { subscriptions, told, _tell: tell, next: 0, handle: handle.clone() })
}

/// The signals that came, from [`signals`]: a [`Stream`], which ends when the reactor closes its
/// sources.
///
/// Dropping it ends the subscription, and the host's own handlers are put back.
pub struct Signals {
    // Dropped before the end that they tell is closed: a write to a closed one raises `SIGPIPE`.
    subscriptions: Vec<Subscription>,
    /// Readable when a signal has come.
    told: Async<UnixStream>,
    /// Kept open, for a list without signals too.
    _tell: UnixStream,
    /// Whose turn it is to be looked at first.
    next: usize,
    handle: Handle,
}

impl Signals {
    /// Waits for a signal.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the reactor has closed its sources; `Unsupported` in a forked child.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no signal.
    pub async fn recv(&mut self) -> io::Result<Signal> {
        loop {
            if let Some(signal) = self.take() {
                return Ok(signal);
            }
            self.told.read_with(forget).await?;
        }
    }

    /// Calls `callback` with each signal, on the host thread, until it answers
    /// `ControlFlow::Break(())`, the task is dropped, or the reactor closes its sources: for programs
    /// without `async`.
    ///
    /// ```no_run
    /// use std::ops::ControlFlow;
    ///
    /// use interloop::Reactor;
    /// use interloop::signal::{Signal, signals};
    ///
    /// let reactor = Reactor::new()?;
    /// let hangup = signals(&reactor, &[Signal::HUP])?.each(|signal| {
    ///     println!("{signal}: reading the configuration again");
    ///     ControlFlow::Continue(())
    /// });
    /// hangup.detach();
    /// reactor.run()?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn each(
        mut self,
        mut callback: impl FnMut(Signal) -> ControlFlow<()> + 'static,
    ) -> Task<()> {
        let handle = self.handle.clone();
        handle.spawn_local(async move {
            while let Ok(signal) = self.recv().await {
                if callback(signal).is_break() {
                    break;
                }
            }
        })
    }

    /// Takes one of the signals that came, all in their turn.
    fn take(&mut self) -> Option<Signal> {
        let (before, after) = self.subscriptions.split_at(self.next);
        let came = after.iter().chain(before).position(Subscription::take)?;
        let at = (self.next + came) % self.subscriptions.len();
        self.next = at + 1;
        Some(self.subscriptions[at].signal())
    }
}

/// Clears what wakes, before the signals are looked at: one that comes after this wakes again.
fn forget(mut told: &UnixStream) -> io::Result<usize> {
    told.read(&mut [0; 256])
}

impl Stream for Signals {
    type Item = Signal;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Signal>> {
        loop {
            if let Some(signal) = self.take() {
                return Poll::Ready(Some(signal));
            }
            if ready!(self.told.poll_read_with(cx, forget)).is_err() {
                return Poll::Ready(None);
            }
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        // In a forked child the table may be locked for ever, by a thread that is not there.
        if !self.handle.core().shared.process.is_current() {
            mem::forget(mem::take(&mut self.subscriptions));
            // They stay, and so does the end that they tell. An error (no descriptor is left) lets it go.
            mem::forget(self.told.get_ref().try_clone());
        }
    }
}

impl fmt::Debug for Signals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signals = self.subscriptions.iter().map(Subscription::signal);
        f.debug_list().entries(signals).finish()
    }
}
