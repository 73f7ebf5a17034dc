//! The poll backend.
//!
//! Facts about poll(2), and what they mean here:
//!
//! - The kernel keeps nothing: every call hands over the whole set, and costs as much as the set
//!   is long, whatever happens in it.
//! - What one thread waits for, another cannot change: changes go through a mailbox, and the
//!   waiting thread has to be notified.
//! - A hang-up or an error is reported even to an entry that asks for nothing: what is not armed
//!   is not in the set.
//! - A closed descriptor is reported as POLLNVAL, and disturbs no other. When its number is in use
//!   again, poll cannot tell.
//! - No more entries than RLIMIT_NOFILE; the numbers do not matter.
//! - Linux and FreeBSD take the timeout in nanoseconds; elsewhere it is rounded up to milliseconds.

use std::io;
use std::os::fd::BorrowedFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use crate::poll_flags::readiness;
use crate::set::{Entry, SetCall, polled};
use crate::{BackendKind, BorrowedSource, Event};

/// poll, and the array that it takes.
#[derive(Default)]
pub(crate) struct Poll {
    array: Vec<PollFd<'static>>,
}

impl SetCall for Poll {
    const KIND: BackendKind = BackendKind::Poll;

    fn check(_source: BorrowedSource<'_>) -> io::Result<()> {
        Ok(())
    }

    fn call(
        &mut self,
        entries: &[Entry],
        notifier: BorrowedFd<'static>,
        timeout: Option<&Timespec>,
        events: &mut Vec<Event>,
    ) -> rustix::io::Result<bool> {
        self.array.clear();
        self.array.extend(entries.iter().map(polled));
        self.array.push(PollFd::from_borrowed_fd(notifier, PollFlags::IN));
        poll(&mut self.array, timeout)?;
        let (notifier, array) = self.array.split_last().expect("the notifier is in it");
        let ready = array.iter().zip(entries).filter(|(polled, _)| !polled.revents().is_empty());
        events.extend(ready.map(|(polled, entry)| Event::Ready {
            key: entry.key,
            readiness: readiness(polled.revents()),
        }));
        if notifier.revents().contains(PollFlags::NVAL) {
            return Err(Errno::BADF);
        }
        Ok(!notifier.revents().is_empty())
    }
}
