//! The backend over the crate `polling`: I/O completion ports on Windows, event ports on illumos,
//! and for comparison epoll or kqueue elsewhere.
//!
//! Facts about it, and what they mean here:
//!
//! - Changes take effect while another thread waits.
//! - A second waiting thread gets no error from it, but an empty answer; it is found out here.
//! - Its key is a word, and ours takes 64 bits: it is compiled for 64-bit targets only.
//! - It does not ask for half-closes: they are readable. Urgent data is reported to whoever waits
//!   for readable, too. On Windows and over kqueue there is no word for urgent data.
//! - Over epoll, a registration whose descriptor was closed behind our back stays in its set while a duplicate is
//!   open, and its set cannot be replaced: by level, that would end every wait at once. So there are no levels then.
//! - Over kqueue it changes the mode of a filter that has not fired by a plain `EV_ADD`, which the kernel passes over.
//!   There are no levels there either.
//! - Over epoll it keeps nanoseconds with a timerfd, for two more system calls in each wait.
#![allow(unsafe_code)]

use std::io;
use std::num::NonZeroUsize;
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use crate::refusal::{no_levels, os_refusal, second_waiter};
use crate::registered::Registered;
use crate::{BackendKind, BorrowedSource, Event, Interest, Key, Mode, Poller, Readiness, Release};

/// The poller of the crate, and the buffer of its events.
pub(crate) struct Polling {
    poller: polling::Poller,
    registered: Registered,
    /// Taken for the length of a wait, so that a second waiting thread is found out.
    buffer: Mutex<polling::Events>,
}

/// How many events one wait may report; the rest comes with the next.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

/// Whether the crate is written for epoll on this target.
const OVER_EPOLL: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Whether it is written for kqueue on this target.
const OVER_KQUEUE: bool = cfg!(any(
    target_vendor = "apple",
    target_os = "freebsd",
    target_os = "dragonfly",
    target_os = "netbsd",
    target_os = "openbsd"
));

/// The key of a registration that waits for nothing. Some kernels report hang-ups and errors to an
/// empty interest too; under this key they are known for what they are. (The crate keeps
/// `usize::MAX` for itself.)
const NOBODY: usize = usize::MAX - 1;

impl Polling {
    pub(crate) fn open() -> io::Result<Polling> {
        Ok(Polling {
            poller: polling::Poller::new()?,
            registered: Registered::default(),
            buffer: Mutex::new(polling::Events::with_capacity(CAPACITY)),
        })
    }
}

impl Poller for Polling {
    fn kind(&self) -> BackendKind {
        BackendKind::Polling
    }

    fn add(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        if mode == Mode::Level && !self.has_levels() {
            return Err(no_levels(BackendKind::Polling));
        }
        self.registered.add(BackendKind::Polling, source, || {
            let (wanted, how) = (wanted(key, interest), how(interest, mode));
            // SAFETY: the object has to be deleted before it is closed. By the contract of
            // `Poller::add` it stays open until then.
            match unsafe { self.poller.add_with_mode(&source, wanted, how) } {
                // What is left of a registration that could not be taken out, as nobody has the number now.
                Err(error) if OVER_EPOLL && error.kind() == io::ErrorKind::AlreadyExists => {
                    self.poller.modify_with_mode(source, wanted, how)
                }
                added => added,
            }
        })
    }

    fn modify(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        self.poller
            .modify_with_mode(source, wanted(key, interest), how(interest, mode))
            .map_err(|error| os_refusal(BackendKind::Polling, source, error))
    }

    fn delete(&self, source: BorrowedSource<'_>, _key: Key) -> Release {
        self.registered.delete(source);
        // Fails only where the kernel has forgotten it already.
        let _ = self.poller.delete(source);
        Release::Now
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let mut buffer = match self.buffer.try_lock() {
            Ok(buffer) => buffer,
            Err(TryLockError::Poisoned(buffer)) => buffer.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(second_waiter(BackendKind::Polling)),
        };
        buffer.clear();
        // Goes on after a signal.
        self.poller.wait(&mut buffer, timeout)?;
        let registered = buffer.iter().filter(|event| event.key != NOBODY);
        events.extend(registered.map(|event| Event::Ready {
            key: Key::from_bits(event.key as u64),
            readiness: readiness(&event),
        }));
        Ok(())
    }

    fn notify(&self) -> io::Result<()> {
        self.poller.notify()
    }

    fn applies_at_once(&self) -> bool {
        true
    }

    fn has_edges(&self) -> bool {
        self.poller.supports_edge()
    }

    fn has_levels(&self) -> bool {
        !OVER_EPOLL && !OVER_KQUEUE && self.poller.supports_level()
    }
}

fn wanted(key: Key, interest: Interest) -> polling::Event {
    if interest.is_none() {
        return polling::Event::none(NOBODY);
    }
    let (readable, writable) =
        (interest.contains(Interest::READABLE), interest.contains(Interest::WRITABLE));
    let mut wanted = polling::Event::new(key.to_bits() as usize, readable, writable);
    wanted.set_priority(interest.contains(Interest::PRIORITY));
    wanted
}

fn how(interest: Interest, mode: Mode) -> polling::PollMode {
    match mode {
        // Where a hang-up is reported to an empty interest, once is enough.
        Mode::Level if !interest.is_none() => polling::PollMode::Level,
        Mode::Oneshot | Mode::Level => polling::PollMode::Oneshot,
        Mode::Edge => polling::PollMode::Edge,
    }
}

fn readiness(event: &polling::Event) -> Readiness {
    let happened = [
        (event.readable, Readiness::READABLE),
        (event.writable, Readiness::WRITABLE),
        (event.is_priority(), Readiness::PRIORITY),
        (event.is_interrupt(), Readiness::HANG_UP),
        (event.is_err() == Some(true), Readiness::ERROR),
    ];
    let happened = happened.into_iter().filter(|(happened, _)| *happened);
    happened.fold(Readiness::NONE, |readiness, (_, what)| readiness | what)
}
