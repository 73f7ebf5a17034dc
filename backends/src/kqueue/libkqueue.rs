//! The calls of libkqueue, which imitates kqueue on Linux over epoll.
//!
//! Where it is not like a kernel: it takes the pending error of a socket (`SO_ERROR`) in order to
//! report it, so that the next operation does not return it any more; a descriptor that was closed
//! behind its back it goes on watching, in silence; a socket's filter that is armed it does not take
//! again; of a socket with both filters it tells the end only when no data is left before it; and the
//! descriptor of its queue is never readable.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_short, c_uint, c_ushort, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use rustix::event::Timespec;
use rustix::io::{Errno, FdFlags, fcntl_getfd, fcntl_setfd};

use super::{Filter, Occurrence};
use crate::{Key, Mode};

/// `struct kevent`, as libkqueue's sys/event.h has it.
#[repr(C)]
#[derive(Clone, Copy)]
struct Kevent {
    ident: usize,
    filter: c_short,
    flags: c_ushort,
    fflags: c_uint,
    data: isize,
    udata: *mut c_void,
}

unsafe extern "C" {
    fn kqueue() -> c_int;
    fn kevent(
        queue: c_int,
        changes: *const Kevent,
        change_count: c_int,
        events: *mut Kevent,
        event_capacity: c_int,
        timeout: *const libc::timespec,
    ) -> c_int;
}

const EVFILT_READ: c_short = -1;
const EVFILT_WRITE: c_short = -2;
const EVFILT_USER: c_short = -11;
const EV_ADD: c_ushort = 0x0001;
const EV_DELETE: c_ushort = 0x0002;
const EV_ONESHOT: c_ushort = 0x0010;
const EV_CLEAR: c_ushort = 0x0020;
const EV_RECEIPT: c_ushort = 0x0040;
const EV_ERROR: c_ushort = 0x4000;
const EV_EOF: c_ushort = 0x8000;
const NOTE_TRIGGER: c_uint = 0x0100_0000;

/// The library's queue, with a user event as its notifier.
pub(super) struct Queue {
    queue: OwnedFd,
    notifier: Key,
}

impl Queue {
    pub(super) fn open(notifier: Key) -> rustix::io::Result<Queue> {
        // SAFETY: it takes nothing.
        let number = unsafe { kqueue() };
        if number < 0 {
            return Err(last_error());
        }
        // SAFETY: the library has opened the descriptor for us; closing it closes the queue.
        let queue = unsafe { OwnedFd::from_raw_fd(number) };
        fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
        let queue = Queue { queue, notifier };
        queue.kevent(&[queue.user_event(EV_ADD | EV_CLEAR, 0)], &mut [], NO_TIME)?;
        Ok(queue)
    }

    /// Makes the changes. For each, what the library answered.
    pub(super) fn change(
        &self,
        changes: [Change; 2],
    ) -> rustix::io::Result<[Result<(), Errno>; 2]> {
        let changes = changes.map(|change| change.0);
        // The library does not look at the descriptor again, when it knows the filter already.
        if changes.iter().any(|change| change.flags & EV_ADD != 0 && !is_open(change)) {
            return Ok(changes.map(|_| Err(Errno::BADF)));
        }
        let mut receipts = [NO_EVENT; 2];
        // Adding a socket's filter that is armed still fails, with whatever error came last.
        let deletions = changes.map(|change| Kevent { flags: EV_DELETE | EV_RECEIPT, ..change });
        self.kevent(&deletions, &mut receipts, NO_TIME)?;
        let count = self.kevent(&changes, &mut receipts, NO_TIME)?;
        Ok(changes.map(|change| {
            let receipt = receipts[..count].iter().find(|receipt| receipt.filter == change.filter);
            match receipt.map_or(0, |receipt| receipt.data) {
                0 => Ok(()),
                errno => Err(Errno::from_raw_os_error(errno as i32)),
            }
        }))
    }

    /// Waits, and fills `buffer`.
    pub(super) fn wait(
        &self,
        buffer: &mut Occurrences,
        timeout: Option<&Timespec>,
    ) -> rustix::io::Result<usize> {
        buffer.count = 0;
        buffer.count = self.kevent(&[], &mut buffer.events, timeout)?;
        Ok(buffer.count)
    }

    pub(super) fn notify(&self) -> rustix::io::Result<()> {
        self.kevent(&[self.user_event(0, NOTE_TRIGGER)], &mut [], NO_TIME)?;
        Ok(())
    }

    /// What a host could watch.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        None
    }

    /// It has timers, but nothing to tell a host when they fire.
    pub(super) fn set_alarm(&self, _after: Option<Duration>) -> rustix::io::Result<()> {
        Err(Errno::OPNOTSUPP)
    }

    /// After the notifier's event, which the library has cleared.
    pub(super) fn drain(&self) -> rustix::io::Result<()> {
        Ok(())
    }

    fn user_event(&self, flags: c_ushort, fflags: c_uint) -> Kevent {
        let udata = udata(self.notifier);
        Kevent { ident: 0, filter: EVFILT_USER, flags, fflags, data: 0, udata }
    }

    fn kevent(
        &self,
        changes: &[Kevent],
        events: &mut [Kevent],
        timeout: Option<&Timespec>,
    ) -> rustix::io::Result<usize> {
        let timeout = timeout.map(|timeout| libc::timespec {
            tv_sec: timeout.tv_sec as _,
            tv_nsec: timeout.tv_nsec as _,
        });
        // SAFETY: the library reads the changes and the timeout, and writes at most
        // `events.len()` events; all are borrowed until it returns. Descriptors stay open until
        // they are deleted, by the contract of `Poller::add`.
        let count = unsafe {
            kevent(
                self.queue.as_raw_fd(),
                changes.as_ptr(),
                changes.len() as c_int,
                events.as_mut_ptr(),
                events.len() as c_int,
                timeout.as_ref().map_or(ptr::null(), ptr::from_ref),
            )
        };
        usize::try_from(count).map_err(|_| last_error())
    }
}

const NO_EVENT: Kevent =
    Kevent { ident: 0, filter: 0, flags: 0, fflags: 0, data: 0, udata: ptr::null_mut() };

const NO_TIME: Option<&Timespec> = Some(&Timespec { tv_sec: 0, tv_nsec: 0 });

/// One entry of a list of changes.
pub(super) struct Change(Kevent);

impl Change {
    pub(super) fn arm(filter: Filter, fd: RawFd, key: Key, mode: Mode) -> Change {
        let flags = match mode {
            Mode::Oneshot => EV_ADD | EV_ONESHOT,
            Mode::Level => EV_ADD,
            Mode::Edge => EV_ADD | EV_CLEAR,
        };
        Change::new(filter, fd, key, flags)
    }

    pub(super) fn delete(filter: Filter, fd: RawFd, key: Key) -> Change {
        Change::new(filter, fd, key, EV_DELETE)
    }

    fn new(filter: Filter, fd: RawFd, key: Key, flags: c_ushort) -> Change {
        let filter = if filter == Filter::Write { EVFILT_WRITE } else { EVFILT_READ };
        let flags = flags | EV_RECEIPT;
        Change(Kevent { ident: fd as usize, filter, flags, fflags: 0, data: 0, udata: udata(key) })
    }
}

/// What the library writes its events to.
pub(super) struct Occurrences {
    events: Box<[Kevent]>,
    /// How many of them the last wait has written.
    count: usize,
}

// SAFETY: an event is not `Send` because its user data is a pointer. Here it is always the bits of
// a key, and nobody reads it as a pointer.
unsafe impl Send for Occurrences {}

impl Occurrences {
    pub(super) fn with_capacity(capacity: usize) -> Occurrences {
        Occurrences { events: vec![NO_EVENT; capacity].into(), count: 0 }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Occurrence> {
        self.events[..self.count].iter().map(|event| Occurrence {
            key: Key::from_bits(event.udata as u64),
            filter: match event.filter {
                EVFILT_READ => Filter::Read,
                EVFILT_WRITE => Filter::Write,
                _ => Filter::Notifier,
            },
            ended: event.flags & EV_EOF != 0,
            failed: event.flags & EV_ERROR != 0,
        })
    }
}

fn udata(key: Key) -> *mut c_void {
    key.to_bits() as *mut c_void
}

fn is_open(change: &Kevent) -> bool {
    // SAFETY: it is open by the contract of `Poller::modify`. Where it was closed in spite of it,
    // this call says so, and does nothing else.
    let source = unsafe { BorrowedFd::borrow_raw(change.ident as RawFd) };
    fcntl_getfd(source).is_ok()
}

fn last_error() -> Errno {
    Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO)
}
