//! The kqueue backend.
//!
//! Facts about kqueue(2), and what they mean here:
//!
//! - `kevent` changes a queue that another thread waits on, at once: nobody has to be notified.
//! - Reading and writing are two filters of one descriptor, armed and reported apart. One arming
//!   is reported once here: what the second filter says after that is left out, and reported by
//!   the next arming, if it is still true.
//! - `EV_ONESHOT` deletes a filter after its event; `EV_DISPATCH` would keep it, disabled. With
//!   oneshot nothing is left behind.
//! - `EV_ADD` of a filter that is there changes whom it reports to, and not how: `EV_ONESHOT` and
//!   `EV_CLEAR` are those that it was added with. So a change of the mode deletes it first.
//! - `EV_CLEAR` reports a filter each time that it was triggered again; with neither flag, every wait
//!   reports it as long as it is true.
//! - A second `EV_ADD` of a descriptor changes the first: one registered twice is found out here.
//! - The kernel forgets a descriptor when it is closed, without a word: one closed behind our back
//!   is noticed when it is armed again.
//! - An end of file is a flag of the filter: of the reading one, a half-close; of the writing one,
//!   that a write will fail. There is no word for urgent data, and PRIORITY is never reported.
//! - Timeouts are in nanoseconds, those of a timer in the queue in milliseconds at the worst.
//! - The queue is a descriptor that is readable while it has something to report.

mod armed;

// The system calls: native ones, or those of the library that imitates them.
#[cfg(not(target_os = "linux"))]
#[path = "kqueue/native.rs"]
mod queue;
#[cfg(target_os = "linux")]
#[path = "kqueue/libkqueue.rs"]
mod queue;

use std::io;
use std::os::fd::AsRawFd;
use std::sync::{Mutex, TryLockError};
use std::time::Duration;

use rustix::io::Errno;

use self::armed::Armed;
use self::queue::{Change, Occurrences, Queue};
use crate::deadline::{Deadline, timespec};
use crate::refusal::{os_refusal, second_waiter};
use crate::registered::Registered;
use crate::{BackendKind, BorrowedSource, Event, Interest, Key, Mode, Poller, Readiness, Release};

/// The kernel's queue, and what each registration is armed for.
pub(crate) struct Kqueue {
    queue: Queue,
    registered: Registered,
    armed: Armed,
    /// Taken for the length of a wait, so that a second waiting thread is found out.
    buffer: Mutex<Occurrences>,
}

/// What a filter watches.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Filter {
    Read,
    Write,
    /// Nothing but what `notify` triggers, or the alarm.
    Notifier,
}

/// One event of one filter.
struct Occurrence {
    key: Key,
    filter: Filter,
    /// The end of file, of the half that the filter watches.
    ended: bool,
    failed: bool,
}

/// How many events one system call may report; the rest comes with the next.
const CAPACITY: usize = 1024;

/// The longest time that every system can count.
const LONGEST_ALARM: Duration = Duration::from_secs(1_000_000);

/// The key of the notifier.
const NOTIFIER: Key = Key::from_bits(u64::MAX);

const FILTERS: [(Filter, Interest); 2] =
    [(Filter::Read, Interest::READABLE), (Filter::Write, Interest::WRITABLE)];

impl Kqueue {
    pub(crate) fn open() -> io::Result<Kqueue> {
        Ok(Kqueue {
            queue: Queue::open(NOTIFIER)?,
            registered: Registered::default(),
            armed: Armed::default(),
            buffer: Mutex::new(Occurrences::with_capacity(CAPACITY)),
        })
    }

    /// Adds the filters of `interest`, and deletes the others.
    fn arm(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        // Before the kernel knows, so that the waiting thread recognizes the event.
        if self.armed.set(key, interest, mode) && !interest.is_none() {
            // That there is nothing to delete is no failure, and what else there is comes with the changes.
            let deletions =
                FILTERS.map(|(filter, _)| Change::delete(filter, source.as_raw_fd(), key));
            let _answers = self.queue.change(deletions);
        }
        let changes = FILTERS.map(|(filter, wanted)| {
            if interest.contains(wanted) {
                Change::arm(filter, source.as_raw_fd(), key, mode)
            } else {
                Change::delete(filter, source.as_raw_fd(), key)
            }
        });
        let answers = self.queue.change(changes)?;
        for (answer, (_, wanted)) in answers.into_iter().zip(FILTERS) {
            // That there was nothing to delete is no failure.
            if let (Err(errno), true) = (answer, interest.contains(wanted)) {
                self.armed.set(key, Interest::NONE, Mode::Oneshot);
                return Err(os_refusal(BackendKind::Kqueue, source, errno));
            }
        }
        Ok(())
    }
}

impl Poller for Kqueue {
    fn kind(&self) -> BackendKind {
        BackendKind::Kqueue
    }

    fn add(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        // What waits for nothing yet is tried too: what cannot be watched is refused here, and not
        // when it is armed.
        let tried = if interest.is_none() { Interest::READABLE } else { interest };
        self.registered.add(BackendKind::Kqueue, source, || {
            let added = self.arm(source, key, tried, mode);
            // Where it failed, one of the two filters may have been added.
            if added.is_err() || interest.is_none() {
                let _ = self.arm(source, key, Interest::NONE, Mode::Oneshot);
            }
            added
        })
    }

    fn modify(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        self.arm(source, key, interest, mode)
    }

    fn delete(&self, source: BorrowedSource<'_>, key: Key) -> Release {
        self.registered.delete(source);
        // Fails only where the kernel has forgotten it already.
        let _ = self.arm(source, key, Interest::NONE, Mode::Oneshot);
        Release::Now
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let mut buffer = match self.buffer.try_lock() {
            Ok(buffer) => buffer,
            Err(TryLockError::Poisoned(buffer)) => buffer.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(second_waiter(BackendKind::Kqueue)),
        };
        let deadline = Deadline::after(timeout);
        let mut left = timeout;
        loop {
            match self.queue.wait(&mut buffer, left.map(timespec).as_ref()) {
                Ok(0) | Err(Errno::INTR) => left = deadline.left(),
                Ok(_) => break,
                Err(errno) => return Err(errno.into()),
            }
            if left == Some(Duration::ZERO) {
                return Ok(());
            }
        }
        let before = events.len();
        for occurrence in buffer.iter() {
            match occurrence.filter {
                Filter::Read => self.report(&occurrence, Interest::READABLE, events, before),
                Filter::Write => self.report(&occurrence, Interest::WRITABLE, events, before),
                Filter::Notifier => self.queue.drain()?,
            }
        }
        Ok(())
    }

    fn notify(&self) -> io::Result<()> {
        Ok(self.queue.notify()?)
    }

    fn applies_at_once(&self) -> bool {
        true
    }

    fn has_edges(&self) -> bool {
        true
    }

    fn has_levels(&self) -> bool {
        true
    }

    fn descriptor(&self) -> Option<BorrowedSource<'_>> {
        self.queue.descriptor()
    }

    fn set_alarm(&self, after: Option<Duration>) -> io::Result<()> {
        // What is longer ends a wait for nothing, once in eleven days.
        Ok(self.queue.set_alarm(after.map(|after| after.min(LONGEST_ALARM)))?)
    }
}

impl Kqueue {
    /// Appends the event of a filter. The second filter of a registration joins the first, if it
    /// comes right behind it, and else is left out.
    fn report(
        &self,
        occurrence: &Occurrence,
        wanted: Interest,
        events: &mut Vec<Event>,
        before: usize,
    ) {
        match events[before..].last_mut() {
            Some(Event::Ready { key, readiness: first }) if *key == occurrence.key => {
                *first |= readiness(occurrence);
            }
            _ if self.armed.take(occurrence.key, wanted) => {
                let (key, readiness) = (occurrence.key, readiness(occurrence));
                events.push(Event::Ready { key, readiness });
            }
            _ => {}
        }
    }
}

fn readiness(occurrence: &Occurrence) -> Readiness {
    let happened = match (occurrence.filter, occurrence.ended) {
        (Filter::Write, false) => Readiness::WRITABLE,
        // Whatever ended it, the next write fails.
        (Filter::Write, true) => Readiness::WRITABLE | Readiness::HANG_UP | Readiness::ERROR,
        (_, false) => Readiness::READABLE,
        (_, true) => Readiness::READABLE | Readiness::READ_CLOSED,
    };
    if occurrence.failed { happened | Readiness::ERROR } else { happened }
}
