//! The select backend.
//!
//! Facts about select(2), and what they mean here:
//!
//! - The kernel keeps nothing: every call hands over three bit sets, as long as the highest
//!   descriptor number, and gets them back overwritten.
//! - FD_SETSIZE (1024) is a limit of the C macros. The kernels of Linux, macOS and the BSDs read
//!   as many bits as the call says, so that the sets here grow with the numbers.
//! - A closed descriptor fails the whole call with EBADF and is not named: each is asked for, and
//!   the one that is gone is reported as invalid.
//! - It says readable, writable and exceptional, and no more: a poll of the ready ones, which does
//!   not wait, says which of them hung up or failed.
//! - A hang-up counts as readable, an error as readable and writable. Who waits for neither does
//!   not hear of it.
//! - Linux takes the timeout in nanoseconds; elsewhere it is rounded up to microseconds.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};

use rustix::event::{
    FdSetElement, FdSetIter, PollFd, Timespec, fd_set_insert, fd_set_num_elements, poll, select,
};
use rustix::io::{Errno, fcntl_getfd, retry_on_intr};
use rustix::process::{Resource, getrlimit};

use crate::poll_flags::readiness;
use crate::refusal::refusal;
use crate::set::{Entry, SetCall, polled};
use crate::{BackendKind, BorrowedSource, Event, Interest, Readiness, source_number};

/// select, and the sets that it takes and answers with.
#[derive(Default)]
pub(crate) struct Select {
    readable: Vec<FdSetElement>,
    writable: Vec<FdSetElement>,
    exceptional: Vec<FdSetElement>,
    /// By descriptor number, where its entry is. Valid for the numbers in the sets.
    positions: Vec<usize>,
    /// By position, what select said.
    answers: Vec<Readiness>,
    /// The positions that select named, and what poll says of them.
    ready: Vec<usize>,
    details: Vec<PollFd<'static>>,
}

impl SetCall for Select {
    const KIND: BackendKind = BackendKind::Select;

    fn check(source: BorrowedSource<'_>) -> io::Result<()> {
        let Some(limit) = getrlimit(Resource::Nofile).current else { return Ok(()) };
        if source_number(source) < limit {
            return Ok(());
        }
        let what = format!("is above the process limit {limit} (RLIMIT_NOFILE); raise it");
        Err(refusal(Self::KIND, source, io::ErrorKind::InvalidInput, what))
    }

    fn call(
        &mut self,
        entries: &[Entry],
        notifier: BorrowedFd<'static>,
        timeout: Option<&Timespec>,
        events: &mut Vec<Event>,
    ) -> rustix::io::Result<bool> {
        let bound = self.fill(entries, notifier);
        // SAFETY: the sets hold the notifier, which is open, and descriptors that are open by the
        // contract of `Poller::add`. One that was closed in spite of it fails the call.
        let count = unsafe {
            let (readable, writable) = (&mut self.readable, &mut self.writable);
            let exceptional = Some(&mut self.exceptional[..]);
            select(bound, Some(readable), Some(writable), exceptional, timeout)
        };
        match count {
            Ok(0) => Ok(false),
            Ok(_) => self.answer(entries, notifier, events),
            Err(Errno::BADF) => find_closed(entries, notifier, events).map(|()| false),
            Err(errno) => Err(errno),
        }
    }
}

impl Select {
    /// Puts the entries into the sets. Returns the number above all of theirs.
    fn fill(&mut self, entries: &[Entry], notifier: BorrowedFd<'_>) -> i32 {
        let numbers = entries.iter().map(|entry| entry.source.as_raw_fd());
        let bound = numbers.fold(notifier.as_raw_fd(), i32::max) + 1;
        let length = fd_set_num_elements(entries.len() + 1, bound);
        for set in [&mut self.readable, &mut self.writable, &mut self.exceptional] {
            set.clear();
            set.resize(length, FdSetElement::default());
        }
        if self.positions.len() < bound as usize {
            self.positions.resize(bound as usize, 0);
        }
        fd_set_insert(&mut self.readable, notifier.as_raw_fd());
        for (position, entry) in entries.iter().enumerate() {
            let number = entry.source.as_raw_fd();
            self.positions[number as usize] = position;
            for (interest, set) in [
                (Interest::READABLE, &mut self.readable),
                (Interest::WRITABLE, &mut self.writable),
                (Interest::PRIORITY, &mut self.exceptional),
            ] {
                if entry.interest.contains(interest) {
                    fd_set_insert(set, number);
                }
            }
        }
        bound
    }

    /// Reads the sets that select left, and asks poll for the details.
    fn answer(
        &mut self,
        entries: &[Entry],
        notifier: BorrowedFd<'_>,
        events: &mut Vec<Event>,
    ) -> rustix::io::Result<bool> {
        self.answers.clear();
        self.answers.resize(entries.len(), Readiness::NONE);
        self.ready.clear();
        let mut notified = false;
        for (set, readiness) in [
            (&self.readable, Readiness::READABLE),
            (&self.writable, Readiness::WRITABLE),
            (&self.exceptional, Readiness::PRIORITY),
        ] {
            for number in FdSetIter::new(set) {
                if number == notifier.as_raw_fd() {
                    notified = true;
                    continue;
                }
                let position = self.positions[number as usize];
                if self.answers[position].is_none() {
                    self.ready.push(position);
                }
                self.answers[position] |= readiness;
            }
        }
        self.details.clear();
        self.details.extend(self.ready.iter().map(|&position| polled(&entries[position])));
        retry_on_intr(|| poll(&mut self.details, Some(&Timespec::default())))?;
        for (&position, polled) in self.ready.iter().zip(&self.details) {
            // Poll is silent where another reader was faster in between.
            let readiness = match readiness(polled.revents()) {
                Readiness::NONE => self.answers[position],
                readiness => readiness,
            };
            events.push(Event::Ready { key: entries[position].key, readiness });
        }
        Ok(notified)
    }
}

/// Reports the closed descriptors as invalid. None is found where the number is in use again: then
/// the next call goes well.
fn find_closed(
    entries: &[Entry],
    notifier: BorrowedFd<'_>,
    events: &mut Vec<Event>,
) -> rustix::io::Result<()> {
    fcntl_getfd(notifier)?;
    let closed = entries.iter().filter(|entry| fcntl_getfd(entry.source).is_err());
    events
        .extend(closed.map(|entry| Event::Ready { key: entry.key, readiness: Readiness::INVALID }));
    Ok(())
}
