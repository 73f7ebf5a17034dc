//! The io_uring backend: poll requests in a ring.
//!
//! Facts about io_uring(7), and what they mean here:
//!
//! - A poll request is answered once, or, with `MULTI`, at each wake of its file, as an edge. What is
//!   ready already answers at once.
//! - There are no levels. One is a request that the next wait makes again, which costs no call of its own.
//! - Requests lie in memory that the kernel shares, and the call that waits submits all of them: a
//!   thousand that are armed again cost one system call, which is made anyway.
//! - An answer is completed by the thread that submitted the request, and interrupts the system call that
//!   this thread is in. So none but the waiting thread submits: changes travel through a mailbox, and the
//!   waiting thread has to be notified. Its ring is made for one thread (`SINGLE_ISSUER`), and completes
//!   answers when it is asked for them and never in between (`DEFER_TASKRUN`, Linux 6.1). Another thread
//!   that begins to wait makes a ring of its own, and arms there what is armed.
//! - A request holds on to its open file description: one whose descriptor is closed behind our back goes
//!   on, and is noticed when it is armed again. A deletion is released once it was submitted.
//! - The kernel adds half-closes to what a request asks for, wakes none for urgent data alone, and answers one that
//!   it has woken with what the wake was about, which for a socket is urgent data whatever came. So an answer is held
//!   to what was asked for; one with nothing of that is waited for by edge from then on, as what it said may stay true.
//! - The kernel may end a `MULTI` request, as when its answers overflow: it is armed again.
//! - Sandboxes and `kernel.io_uring_disabled` refuse the ring: the backend does not open then.
#![allow(unsafe_code)]

mod armed;
mod ring;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, TryLockError};
use std::time::Duration;

use rustix::event::{EventfdFlags, eventfd};

use self::armed::Armed;
use self::ring::{Answer, Ring};
use crate::changes::{Change, Entry};
use crate::deadline::Deadline;
use crate::mailbox::Mailbox;
use crate::refusal::second_waiter;
use crate::registered::Registered;
use crate::{BackendKind, BorrowedSource, Event, Interest, Key, Mode, Poller, Release};

/// The backend.
pub(crate) struct Uring {
    registered: Registered,
    /// From the registering thread to the waiting one.
    changes: Mailbox<Change>,
    /// An eventfd. Its request is answered at each write: nobody has to read it.
    notifier: OwnedFd,
    /// Taken for the length of a wait, and by a deletion for a moment, if it is free.
    waiting: Mutex<Waiting>,
    /// True for the length of a wait, so that a second waiting thread is found out, and told from a
    /// deletion. Set and cleared by who waits. Relaxed: what the threads own is ordered by the lock.
    is_waiting: AtomicBool,
}

/// Clears `is_waiting` at the end of a wait, however that ends.
struct Waiter<'a>(&'a AtomicBool);

impl<'a> Waiter<'a> {
    /// None where another thread waits.
    fn enter(is_waiting: &'a AtomicBool) -> Option<Waiter<'a>> {
        (!is_waiting.swap(true, Ordering::Relaxed)).then_some(Waiter(is_waiting))
    }
}

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}

/// What the waiting thread owns.
struct Waiting {
    /// None where one for another thread could not be made.
    ring: Option<Ring>,
    armed: Armed,
    /// Deletions that were submitted, and that the next wait reports.
    released: Vec<Key>,
    /// What a deletion has met with, for the next wait.
    failure: Option<io::Error>,
}

impl Uring {
    pub(crate) fn open() -> io::Result<Uring> {
        let notifier = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        let mut ring = Ring::open()?;
        ring.watch(notifier.as_fd())?;
        let (armed, released) = (Armed::default(), Vec::new());
        let waiting = Waiting { ring: Some(ring), armed, released, failure: None };
        Ok(Uring {
            registered: Registered::default(),
            changes: Mailbox::new(),
            notifier,
            waiting: Mutex::new(waiting),
            is_waiting: AtomicBool::new(false),
        })
    }

    fn arm(&self, source: BorrowedSource<'_>, key: Key, interest: Interest, mode: Mode) {
        if interest.is_none() {
            return self.changes.push(Change::Disarm(key));
        }
        // SAFETY: by the contract of `Poller::add` the object stays open until it is released, which
        // `delete` or `wait` says when the last copy of this borrow is gone.
        let source = unsafe { BorrowedFd::borrow_raw(source.as_raw_fd()) };
        self.changes.push(Change::Arm(Entry { key, source, interest, mode }));
    }

    /// What the waiting thread owns. None while it is waiting.
    fn try_lock(&self) -> Option<MutexGuard<'_, Waiting>> {
        match self.waiting.try_lock() {
            Ok(waiting) => Some(waiting),
            Err(TryLockError::Poisoned(waiting)) => Some(waiting.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// The ring, if it is this thread's; or else one that is, with nothing of what is armed in it yet.
    fn ring<'a>(&self, place: &'a mut Option<Ring>, armed: &mut Armed) -> io::Result<&'a mut Ring> {
        let ring = match place.take() {
            Some(ring) if ring.is_of_this_thread() => ring,
            others => {
                // Closed first: there may be no descriptor for a second one.
                drop(others);
                armed.move_to_another_ring();
                self.open_ring().map_err(no_ring)?
            }
        };
        Ok(place.insert(ring))
    }

    fn open_ring(&self) -> io::Result<Ring> {
        let mut unfit = Vec::new();
        let mut ring = Ring::open()?;
        // A source that was closed behind our back leaves its number free, and would poll the ring itself.
        while self.registered.has_number_of(ring.as_fd()) {
            unfit.push(std::mem::replace(&mut ring, Ring::open()?));
        }
        ring.watch(self.notifier.as_fd())?;
        Ok(ring)
    }

    /// Puts into the ring what has changed.
    fn apply(&self, ring: &mut Ring, armed: &mut Armed, released: &mut Vec<Key>) -> io::Result<()> {
        let mut cancelled = Ok(());
        self.changes.fetch(|change| {
            let stale = match change {
                Change::Arm(entry) => armed.arm(entry),
                Change::Disarm(key) => armed.disarm(key),
                Change::Delete(key) => {
                    released.push(key);
                    armed.disarm(key)
                }
            };
            if let (Some(token), Ok(())) = (stale, &cancelled) {
                cancelled = ring.cancel(token);
            }
        });
        cancelled?;
        armed.submit(ring)
    }

    /// Takes the answers out of the ring. True if one is the notifier's.
    fn collect(
        &self,
        ring: &mut Ring,
        armed: &mut Armed,
        events: &mut Vec<Event>,
    ) -> io::Result<bool> {
        let (mut notified, mut unwatched) = (false, false);
        let mut runaways = Vec::new();
        ring.answers(|answer| match answer {
            Answer::Notified { goes_on } => {
                notified = true;
                unwatched |= !goes_on;
            }
            Answer::Polled { token, goes_on: true, .. } if !armed.knows(token) => {
                runaways.push(token);
            }
            Answer::Polled { token, result, goes_on } => {
                let answered = armed.answered(token, result, goes_on);
                let event = answered.event.map(|(key, readiness)| Event::Ready { key, readiness });
                events.extend(event);
                runaways.extend(answered.stale);
            }
        });
        // One was about to answer when it was cancelled, and goes on: it would keep its file open for ever.
        for token in runaways {
            ring.cancel(token)?;
        }
        if unwatched {
            ring.watch(self.notifier.as_fd())?;
        }
        Ok(notified)
    }
}

impl Poller for Uring {
    fn kind(&self) -> BackendKind {
        BackendKind::IoUring
    }

    fn add(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        self.registered.add(BackendKind::IoUring, source, || Ok(()))?;
        self.arm(source, key, interest, mode);
        Ok(())
    }

    fn modify(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        self.arm(source, key, interest, mode);
        Ok(())
    }

    fn delete(&self, source: BorrowedSource<'_>, key: Key) -> Release {
        self.registered.delete(source);
        self.changes.push(Change::Delete(key));
        let Some(mut waiting) = self.try_lock() else { return Release::Later };
        let Waiting { ring: Some(ring), armed, released, failure } = &mut *waiting else {
            return Release::Later;
        };
        if !ring.is_of_this_thread() {
            return Release::Later;
        }
        // It may be long until this thread waits again, and the request would keep the object open.
        let submitted = self.apply(ring, armed, released).and_then(|()| ring.settle());
        if let Err(error) = submitted {
            *failure = Some(error);
            return Release::Later;
        }
        released.retain(|released| *released != key);
        Release::Now
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let Some(_waiter) = Waiter::enter(&self.is_waiting) else {
            return Err(second_waiter(BackendKind::IoUring));
        };
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let Waiting { ring, armed, released, failure } = &mut *waiting;
        if let Some(error) = failure.take() {
            return Err(error);
        }
        let ring = self.ring(ring, armed)?;
        let before = events.len();
        self.apply(ring, armed, released)?;
        // Who waits for a release gets it at once, and may be the last who waits.
        let timeout = if released.is_empty() {
            timeout
        } else {
            ring.settle()?;
            Some(Duration::ZERO)
        };
        let deadline = Deadline::after(timeout);
        let mut left = timeout;
        loop {
            ring.wait(left)?;
            let notified = self.collect(ring, armed, events)?;
            if notified || events.len() > before || left == Some(Duration::ZERO) {
                break;
            }
            // Requests that the kernel has ended are armed again before anything is waited for.
            armed.submit(ring)?;
            left = deadline.left();
        }
        events.extend(released.drain(..).map(|key| Event::Released { key }));
        Ok(())
    }

    fn notify(&self) -> io::Result<()> {
        rustix::io::write(&self.notifier, &1u64.to_ne_bytes())?;
        Ok(())
    }

    fn applies_at_once(&self) -> bool {
        false
    }

    fn has_edges(&self) -> bool {
        true
    }

    fn reports_what_poll_does(&self) -> bool {
        true
    }

    fn has_levels(&self) -> bool {
        true
    }

    fn tells_ends(&self) -> bool {
        true
    }
}

/// The error of a thread that begins to wait and gets no ring.
fn no_ring(error: io::Error) -> io::Error {
    let message = format!(
        "io_uring backend: another thread begins to wait, and a ring for it cannot be made: {error}; it needs one \
         descriptor of the process's limit (RLIMIT_NOFILE), and memory; use epoll where these run out"
    );
    io::Error::new(error.kind(), message)
}
