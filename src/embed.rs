//! The embedded drive: a host that can watch a descriptor watches the backend's own, and there is no
//! worker.

use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use interloop_backends::{AsSource, BorrowedSource};

use crate::clock::{NEVER, Nanos, nanos};
use crate::core::{Core, Drive};
use crate::proxy;

/// The descriptor of a reactor that is embedded in a host loop, from
/// [`Handle::embed`](crate::Handle::embed).
///
/// The host watches it for reading, by level, and calls [`turn`](Embedded::turn) when it is readable.
/// Sources, timers, and the wakes of other threads all make it readable; nobody may read from it.
///
/// Dropping it frees the reactor for another drive. The host has to end its watch before.
#[must_use = "the reactor is embedded until this is dropped"]
pub struct Embedded {
    core: Rc<Core>,
}

impl Embedded {
    /// Runs a turn. False when there is nothing left to watch, because the reactor has stopped, its backend
    /// has failed, or this process is a fork of the reactor's: the host ends its watch then, or it would find
    /// the descriptor readable for ever.
    ///
    /// # Panics
    ///
    /// With the panic of a callback, once everything else in the turn has run.
    pub fn turn(&self) -> bool {
        let core = &self.core;
        if !core.shared.process.is_current() {
            return false;
        }
        if core.drive.get() == Drive::Running {
            // A callback of `finish` has opened a loop of the host's, below which nobody fetches.
            core.poll_embedded();
        }
        core.turn();
        // A callback may have forked: the child shares the set.
        if !core.shared.process.is_current() {
            return false;
        }
        // Not the stage: one of the last calls may run a loop in which the others are to come.
        let is_over = core.shared.is_over();
        if is_over {
            // What woke the host for the end.
            core.poll_embedded();
        }
        !is_over && !core.shared.worker.has_failed()
    }

    /// Says that the host gives the descriptor's number to each of its waits, as `poll` and `select` take it (GLib,
    /// most games), and does not keep hold of what the number stands for, as `epoll` does (libuv, calloop).
    ///
    /// Then callbacks stay armed while they ask for the same, which saves a system call for each event. It takes
    /// that the reactor may put another set under the number, when somebody has closed a descriptor behind its back.
    /// Said of another host, it would hear of nothing after that.
    pub fn polled_by_number(self) -> Embedded {
        self.core.lent.set(false);
        self
    }

    fn descriptor(&self) -> BorrowedSource<'_> {
        self.core.shared.poller.descriptor().expect("embed() has looked for it")
    }
}

#[cfg(unix)]
impl std::os::fd::AsFd for Embedded {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.descriptor()
    }
}

#[cfg(windows)]
impl std::os::windows::io::AsSocket for Embedded {
    fn as_socket(&self) -> std::os::windows::io::BorrowedSocket<'_> {
        self.descriptor()
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = interloop_backends::source_number(self.as_source());
        f.debug_tuple("Embedded").field(&number).finish()
    }
}

impl Drop for Embedded {
    fn drop(&mut self) {
        let core = &self.core;
        if core.drive.get() == Drive::Embedded {
            core.set_alarm(NEVER);
            core.drive.set(Drive::None);
            core.restore_waker();
        }
        core.lent.set(false);
    }
}

/// What every kernel's timer takes. An alarm that is further away is set again when this is over.
const LONGEST_ALARM: Duration = Duration::from_secs(7 * 24 * 60 * 60);

impl Core {
    pub(crate) fn embed(self: &Rc<Core>) -> io::Result<Embedded> {
        self.shared.check()?;
        self.check_free("embed()")?;
        if self.shared.poller.descriptor().is_none() {
            let message = format!(
                "embed(): the {} backend has no descriptor that a host could watch; epoll and kqueue \
                 have one, and interleave(waker) works with every backend",
                self.shared.poller.kind()
            );
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        // Tried here, where the caller hears of it: the timer may need a descriptor of its own.
        self.shared.poller.set_alarm(None)?;
        self.forget_alarm();
        if self.shared.poller.keeps_closed() {
            self.end_levels();
            self.lent.set(true);
        }
        self.drive.set(Drive::Embedded);
        self.seize_waker(self.descriptor_waker());
        self.now.set(self.shared.clock.now());
        self.flush();
        if self.owes_a_turn() {
            self.shared.wake();
        }
        self.shared.rewake();
        Ok(Embedded { core: Rc::clone(self) })
    }

    /// A waker for a host that watches the backend's descriptor. The host thread makes it readable too:
    /// nobody looks at the inbox between two turns.
    fn descriptor_waker(&self) -> Arc<proxy::Waker> {
        let poller = Arc::clone(&self.shared.poller);
        Arc::new(move |tick| {
            tick.detach();
            // A backend that cannot be notified fails its next wait too, which reports it.
            let _failed = poller.notify();
        })
    }

    /// Fetches what is ready, where no worker does it.
    pub(crate) fn poll_embedded(&self) {
        if self.shared.worker.has_failed() {
            return;
        }
        self.poll(Some(Duration::ZERO));
        let rings = self.rings.get();
        if rings != NEVER && rings <= self.shared.clock.now() {
            self.forget_alarm();
        }
    }

    /// The alarm has rung, or nobody has set one: whatever is due next sets it again.
    fn forget_alarm(&self) {
        self.alarm.set(NEVER);
        self.rings.set(NEVER);
    }

    /// Has the descriptor readable at `deadline`, or when it is time to set the alarm again.
    pub(crate) fn set_alarm(&self, deadline: Nanos) {
        if self.drive.get() != Drive::Embedded
            || self.alarm.replace(deadline) == deadline
            || !self.shared.process.is_current()
            || self.shared.worker.has_failed()
        {
            return;
        }
        let now = self.shared.clock.now();
        let rings = deadline.min(now.saturating_add(nanos(LONGEST_ALARM)));
        let is_wanted = deadline != NEVER;
        self.rings.set(if is_wanted { rings } else { NEVER });
        let after = is_wanted.then(|| Duration::from_nanos(rings.saturating_sub(now)));
        if let Err(error) = self.shared.poller.set_alarm(after) {
            self.shared.worker.fail(&error);
            self.shared.report(&crate::Report::BackendFailed(&error));
        }
    }

    /// A callback runs while other things wait behind it, and may open a nested host loop. There is no
    /// worker to interrupt, so sources and an earlier timer are told to the backend at once, as the end of the
    /// turn would do. For what waits in a queue the descriptor is to be readable after a while; the end of the
    /// turn sets the alarm back.
    pub(crate) fn watch_embedded(&self) {
        self.flush_sources();
        let now = self.now.get();
        let mut limit = self.timers.borrow_mut().earliest().unwrap_or(NEVER);
        if self.has_queued() || limit <= now {
            let grace = now.saturating_add(nanos(self.shared.options.grace));
            limit = if limit > now { limit.min(grace) } else { grace };
        }
        if limit < self.alarm.get() {
            self.set_alarm(limit);
        }
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;
    use crate::Reactor;

    #[test]
    fn an_alarm_for_which_it_is_too_early_is_set_again_when_it_has_rung() {
        let reactor = Reactor::new().unwrap();
        let Ok(embedded) = reactor.embed() else { return };
        let core = reactor.core();
        let days =
            |days: u64| core.shared.clock.now() + nanos(Duration::from_secs(days * 24 * 60 * 60));
        reactor.after(Duration::from_secs(30 * 24 * 60 * 60), || ()).detach();
        let rings = core.rings.get();
        assert!((days(6)..=days(7)).contains(&rings) && core.alarm.get() > days(29));
        embedded.turn();
        assert_eq!(core.rings.get(), rings, "one that has not rung stays");
        core.rings.set(1);
        embedded.turn();
        assert!(core.rings.get() >= rings, "a week has passed");
    }
}
