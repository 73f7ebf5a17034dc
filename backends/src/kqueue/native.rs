//! The system calls of macOS and the BSDs.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd, RawFd};
use std::ptr;
use std::time::Duration;

use rustix::buffer::{Buffer, spare_capacity};
use rustix::event::Timespec;
use rustix::event::kqueue::{self, EventFilter, EventFlags};
use rustix::io::{Errno, FdFlags, fcntl_setfd};

use super::{Filter, Occurrence};
use crate::{Key, Mode};

/// The kernel's queue, with a notifier in it.
pub(super) struct Queue {
    queue: OwnedFd,
    notifier: notifier::Notifier,
}

impl Queue {
    pub(super) fn open(notifier: Key) -> rustix::io::Result<Queue> {
        let queue = kqueue::kqueue()?;
        fcntl_setfd(&queue, FdFlags::CLOEXEC)?;
        let notifier = notifier::Notifier::open(&queue, udata(notifier))?;
        Ok(Queue { queue, notifier })
    }

    /// Makes the changes. For each, what the kernel answered.
    pub(super) fn change(
        &self,
        changes: [Change; 2],
    ) -> rustix::io::Result<[Result<(), Errno>; 2]> {
        let changes = changes.map(|change| change.0);
        let mut receipts = [const { MaybeUninit::uninit() }; 2];
        let (receipts, _) = kevent(&self.queue, &changes, &mut receipts, Some(&NO_TIME))?;
        Ok(changes.map(|change| {
            let receipt = receipts.iter().find(|receipt| filter(receipt) == filter(&change));
            match receipt.map_or(0, kqueue::Event::data) {
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
        buffer.0.clear();
        kevent(&self.queue, &[], spare_capacity(&mut buffer.0), timeout)
    }

    pub(super) fn notify(&self) -> rustix::io::Result<()> {
        self.notifier.notify(&self.queue)
    }

    /// What a host can watch.
    pub(super) fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.queue.as_fd())
    }

    /// Sets the timer, which is deleted when it fires.
    pub(super) fn set_alarm(&self, after: Option<Duration>) -> rustix::io::Result<()> {
        // Some systems count nothing smaller, and rustix takes what is left of a second, when that is
        // less than a millisecond, for nothing.
        let timer = after.map(|after| {
            let millis = after.as_nanos().div_ceil(1_000_000);
            Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
        });
        let flags = match timer {
            Some(_) => EventFlags::ADD | EventFlags::ONESHOT,
            None => EventFlags::DELETE,
        };
        let change =
            kqueue::Event::new(EventFilter::Timer { ident: 0, timer }, flags, ptr::null_mut());
        let set = kevent(&self.queue, &[change], &mut [] as &mut [kqueue::Event], Some(&NO_TIME));
        match set {
            // There was none to delete.
            Err(Errno::NOENT) if after.is_none() => Ok(()),
            set => set.map(drop),
        }
    }

    /// After the notifier's event.
    pub(super) fn drain(&self) -> rustix::io::Result<()> {
        self.notifier.drain()
    }
}

/// One entry of a list of changes.
pub(super) struct Change(kqueue::Event);

impl Change {
    pub(super) fn arm(filter: Filter, fd: RawFd, key: Key, mode: Mode) -> Change {
        let flags = match mode {
            Mode::Oneshot => EventFlags::ADD | EventFlags::ONESHOT,
            Mode::Level => EventFlags::ADD,
            Mode::Edge => EventFlags::ADD | EventFlags::CLEAR,
        };
        Change::new(filter, fd, key, flags)
    }

    pub(super) fn delete(filter: Filter, fd: RawFd, key: Key) -> Change {
        Change::new(filter, fd, key, EventFlags::DELETE)
    }

    fn new(filter: Filter, fd: RawFd, key: Key, flags: EventFlags) -> Change {
        let filter = match filter {
            Filter::Write => EventFilter::Write(fd),
            _ => EventFilter::Read(fd),
        };
        Change(kqueue::Event::new(filter, flags | EventFlags::RECEIPT, udata(key)))
    }
}

/// What the kernel writes its events to.
pub(super) struct Occurrences(Vec<kqueue::Event>);

// SAFETY: an event is not `Send` because its user data is a pointer. Here it is always the bits of
// a key, and nobody reads it as a pointer.
unsafe impl Send for Occurrences {}

impl Occurrences {
    pub(super) fn with_capacity(capacity: usize) -> Occurrences {
        Occurrences(Vec::with_capacity(capacity))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = Occurrence> {
        self.0.iter().map(|event| Occurrence {
            key: Key::from_bits(event.udata() as u64),
            filter: filter(event),
            ended: event.flags().contains(EventFlags::EOF),
            failed: event.flags().contains(EventFlags::ERROR),
        })
    }
}

const NO_TIME: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };

fn filter(event: &kqueue::Event) -> Filter {
    match event.filter() {
        EventFilter::Read(_) if event.udata() != udata(super::NOTIFIER) => Filter::Read,
        EventFilter::Write(_) => Filter::Write,
        _ => Filter::Notifier,
    }
}

fn udata(key: Key) -> *mut c_void {
    key.to_bits() as *mut c_void
}

fn kevent<B: Buffer<kqueue::Event>>(
    queue: &OwnedFd,
    changes: &[kqueue::Event],
    events: B,
    timeout: Option<&Timespec>,
) -> rustix::io::Result<B::Output> {
    // SAFETY: descriptors in a queue have to stay open. Those of registrations do until they are
    // deleted, by the contract of `Poller::add`; the notifier lives as long as the queue.
    unsafe { kqueue::kevent_timespec(queue, changes, events, timeout) }
}

/// A user event, where the kernel has them.
#[cfg(not(any(target_os = "netbsd", target_os = "openbsd")))]
mod notifier {
    use rustix::event::kqueue::{UserDefinedFlags, UserFlags};

    use super::*;

    pub(super) struct Notifier(Trigger);

    struct Trigger(*mut c_void);

    // SAFETY: the pointer is the bits of a key, and nobody reads it as a pointer.
    unsafe impl Send for Trigger {}
    // SAFETY: as above.
    unsafe impl Sync for Trigger {}

    impl Notifier {
        pub(super) fn open(queue: &OwnedFd, udata: *mut c_void) -> rustix::io::Result<Notifier> {
            let notifier = Notifier(Trigger(udata));
            notifier.change(queue, UserFlags::empty(), EventFlags::ADD | EventFlags::CLEAR)?;
            Ok(notifier)
        }

        pub(super) fn notify(&self, queue: &OwnedFd) -> rustix::io::Result<()> {
            self.change(queue, UserFlags::TRIGGER, EventFlags::empty())
        }

        /// The kernel has cleared it.
        pub(super) fn drain(&self) -> rustix::io::Result<()> {
            Ok(())
        }

        fn change(
            &self,
            queue: &OwnedFd,
            flags: UserFlags,
            change: EventFlags,
        ) -> rustix::io::Result<()> {
            let filter =
                EventFilter::User { ident: 0, flags, user_flags: UserDefinedFlags::new(0) };
            let change = kqueue::Event::new(filter, change, self.0.0);
            kevent(queue, &[change], &mut [] as &mut [kqueue::Event], Some(&NO_TIME))?;
            Ok(())
        }
    }
}

/// A pipe, where there are no user events.
#[cfg(any(target_os = "netbsd", target_os = "openbsd"))]
mod notifier {
    use std::os::fd::{AsFd, AsRawFd};

    use super::*;

    pub(super) struct Notifier(crate::notifier::Notifier);

    impl Notifier {
        pub(super) fn open(queue: &OwnedFd, udata: *mut c_void) -> rustix::io::Result<Notifier> {
            let notifier = crate::notifier::Notifier::open()?;
            let filter = EventFilter::Read(notifier.as_fd().as_raw_fd());
            let change = kqueue::Event::new(filter, EventFlags::ADD, udata);
            kevent(queue, &[change], &mut [] as &mut [kqueue::Event], Some(&NO_TIME))?;
            Ok(Notifier(notifier))
        }

        pub(super) fn notify(&self, _queue: &OwnedFd) -> rustix::io::Result<()> {
            self.0.notify()
        }

        pub(super) fn drain(&self) -> rustix::io::Result<()> {
            self.0.drain()
        }
    }
}
