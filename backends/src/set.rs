//! What poll and select share: a set that the waiting thread owns, and a mailbox for its changes.
//!
//! `add`, `modify` and `delete` take effect when the next wait begins. A deletion is acknowledged
//! then, because the kernel may be looking at the descriptor until that moment.
#![allow(unsafe_code)]

mod entries;

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use rustix::event::{PollFd, Timespec};
use rustix::io::Errno;

use self::entries::Set;
use crate::changes::Change;
pub(crate) use crate::changes::Entry;
use crate::deadline::{Deadline, timespec};
use crate::mailbox::Mailbox;
use crate::notifier::Notifier;
use crate::poll_flags::wanted;
use crate::refusal::{no_edges, second_waiter};
use crate::registered::Registered;
use crate::{BackendKind, BorrowedSource, Event, Interest, Key, Mode, Poller, Release};

/// A system call that takes the whole set each time, with the buffers that it needs.
pub(crate) trait SetCall: Default + Send {
    const KIND: BackendKind;

    /// Refuses a descriptor that the call cannot take.
    fn check(source: BorrowedSource<'_>) -> io::Result<()>;

    /// Calls once, and appends what happened to `events`. A closed descriptor among `entries` is
    /// reported as invalid; one that is the notifier's is the error EBADF. True if the notifier is
    /// readable.
    fn call(
        &mut self,
        entries: &[Entry],
        notifier: BorrowedFd<'static>,
        timeout: Option<&Timespec>,
        events: &mut Vec<Event>,
    ) -> rustix::io::Result<bool>;
}

/// What `entry` asks of poll.
pub(crate) fn polled(entry: &Entry) -> PollFd<'static> {
    PollFd::from_borrowed_fd(entry.source, wanted(entry.interest))
}

/// The backend over such a system call.
pub(crate) struct SetPoller<C> {
    registered: Registered,
    /// From the registering thread to the waiting one.
    changes: Mailbox<Change>,
    notifier: Notifier,
    /// Taken for the length of a wait, so that a second waiting thread is found out.
    waiting: Mutex<Waiting<C>>,
}

/// What the waiting thread owns.
#[derive(Default)]
struct Waiting<C> {
    set: Set,
    call: C,
}

impl<C: SetCall> SetPoller<C> {
    pub(crate) fn open() -> io::Result<SetPoller<C>> {
        Ok(SetPoller {
            registered: Registered::default(),
            changes: Mailbox::new(),
            notifier: Notifier::open()?,
            waiting: Mutex::default(),
        })
    }

    fn arm(&self, source: BorrowedSource<'_>, key: Key, interest: Interest, mode: Mode) {
        // SAFETY: by the contract of `Poller::add` the object stays open until `Released` is
        // reported for it, which `wait` does when it has dropped the last copy of this borrow.
        let source = unsafe { BorrowedFd::borrow_raw(source.as_raw_fd()) };
        self.changes.push(Change::Arm(Entry { key, source, interest, mode }));
    }
}

impl<C: SetCall> Poller for SetPoller<C> {
    fn kind(&self) -> BackendKind {
        C::KIND
    }

    fn add(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        if mode == Mode::Edge {
            return Err(no_edges(C::KIND));
        }
        self.registered.add(C::KIND, source, || C::check(source))?;
        if !interest.is_none() {
            self.arm(source, key, interest, mode);
        }
        Ok(())
    }

    fn modify(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        if mode == Mode::Edge {
            return Err(no_edges(C::KIND));
        }
        if interest.is_none() {
            self.changes.push(Change::Disarm(key));
        } else {
            self.arm(source, key, interest, mode);
        }
        Ok(())
    }

    fn delete(&self, source: BorrowedSource<'_>, key: Key) -> Release {
        self.registered.delete(source);
        self.changes.push(Change::Delete(key));
        Release::Later
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let mut waiting = match self.waiting.try_lock() {
            Ok(waiting) => waiting,
            Err(TryLockError::Poisoned(waiting)) => waiting.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(second_waiter(C::KIND)),
        };
        let Waiting { set, call } = &mut *waiting;
        let before = events.len();
        self.changes.fetch(|change| match change {
            Change::Arm(entry) => set.arm(entry),
            Change::Disarm(key) => set.disarm(key),
            Change::Delete(key) => {
                set.disarm(key);
                events.push(Event::Released { key });
            }
        });
        // SAFETY: the notifier and the buffers of the call, which may keep this, are dropped
        // together.
        let notifier = unsafe { BorrowedFd::borrow_raw(self.notifier.as_fd().as_raw_fd()) };
        let released = events.len();
        // Who waits for a release gets it at once.
        let timeout = if released > before { Some(Duration::ZERO) } else { timeout };
        let deadline = Deadline::after(timeout);
        let mut left = timeout;
        loop {
            let timeout = left.map(timespec);
            match call.call(set.entries(), notifier, timeout.as_ref(), events) {
                Ok(false) | Err(Errno::INTR) => left = deadline.left(),
                Ok(true) => {
                    self.notifier.drain()?;
                    break;
                }
                Err(errno) => return Err(errno.into()),
            }
            if events.len() > released || left == Some(Duration::ZERO) {
                break;
            }
        }
        for event in &events[released..] {
            match event {
                Event::Ready { key, readiness } if readiness.is_invalid() => set.disarm(*key),
                Event::Ready { key, .. } => set.reported(*key),
                Event::Released { .. } => {}
            }
        }
        Ok(())
    }

    fn notify(&self) -> io::Result<()> {
        Ok(self.notifier.notify()?)
    }

    fn applies_at_once(&self) -> bool {
        false
    }

    fn has_edges(&self) -> bool {
        false
    }

    fn reports_what_poll_does(&self) -> bool {
        C::KIND == BackendKind::Poll
    }

    fn has_levels(&self) -> bool {
        true
    }
}
