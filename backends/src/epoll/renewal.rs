//! A new set under the number of the old one, which holds registrations that nothing can take out.
#![allow(unsafe_code)]

use std::io;
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::TryLockError;
use std::sync::atomic::Ordering;

use rustix::event::epoll;
use rustix::io::{DupFlags, Errno, dup3};

use super::{ALARM, Epoll, NOTIFIER, data_for, flags, watch_edges};
use crate::refusal::second_waiter;
use crate::{BackendKind, Event, Kept, Readiness};

impl Epoll {
    /// Puts a set in the place of the old one, with the notifier, the alarm and `kept` in it. What the new one
    /// refuses is reported to `events`.
    pub(super) fn replace_set(&self, kept: &[Kept<'_>], events: &mut Vec<Event>) -> io::Result<()> {
        // One that waits would go on in the old set.
        let _nobody_waits = match self.buffer.try_lock() {
            Ok(buffer) => buffer,
            Err(TryLockError::Poisoned(buffer)) => buffer.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(second_waiter(BackendKind::Epoll)),
        };
        let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        watch_edges(&set, &self.notifier, NOTIFIER)?;
        if let Some(alarm) = self.alarm.get() {
            watch_edges(&set, alarm, ALARM)?;
        }
        let add = |set: &OwnedFd, kept: &Kept<'_>| {
            let (data, flags) =
                (data_for(kept.key, kept.interest), flags(kept.interest, kept.mode));
            epoll::add(set, kept.source, data, flags)
        };
        let mut refused = Vec::new();
        for kept in kept {
            match add(&set, kept) {
                Ok(()) => {}
                Err(Errno::NOMEM) => return Err(Errno::NOMEM.into()),
                // Where `max_user_watches` is reached, there is room when the old set is gone.
                Err(_) => refused.push(kept),
            }
        }
        // SAFETY: the number is the set's own, and open. This owner of it is never dropped, so that the other one
        // closes it; that has a valid descriptor at any time, as the kernel puts one in the place of the other in
        // one step.
        let mut old = ManuallyDrop::new(unsafe { OwnedFd::from_raw_fd(self.set.as_raw_fd()) });
        // The registrations of the old set end here.
        dup3(&set, &mut old, DupFlags::CLOEXEC)?;
        self.stuck.store(false, Ordering::Relaxed);
        for kept in refused {
            if add(&self.set, kept).is_err() {
                events.push(Event::Ready { key: kept.key, readiness: Readiness::INVALID });
            }
        }
        Ok(())
    }
}
