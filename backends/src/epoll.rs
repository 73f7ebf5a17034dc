//! The epoll backend.
//!
//! Facts about epoll(7), and what they mean here:
//!
//! - `epoll_ctl` acts on a set that another thread waits on, at once: nobody has to be notified.
//! - `EPOLLONESHOT` silences a registration after one event; hang-up and error are silenced too. Without
//!   it, and without `EPOLLET`, every wait reports what is still true, and the registration goes to the
//!   end of the queue of ready ones, so that nobody starves behind it.
//! - `EPOLLET` reports a registration whenever its file wakes those who wait for it, which may be
//!   without a change of what is true, and never less often.
//! - The kernel forgets a descriptor when the last copy of its open file description is closed,
//!   without a word: one closed behind our back is noticed when it is armed again.
//! - A registration is found by its descriptor's number and its open file description. Where a duplicate keeps the
//!   second and the first is closed or used again, nothing takes it out: the whole set has to be renewed.
//! - Files that are always ready (regular files, directories, /dev/null) are refused with EPERM.
//! - An epoll descriptor is itself readable while its set has something to report. A host that watches
//!   it wakes for notifications and for the alarm too, as both are descriptors in the set.
//! - `epoll_pwait2` (Linux 5.11) takes nanoseconds; older kernels get whole milliseconds, rounded
//!   up. Whole milliseconds take the older call anyway, which is the cheaper one.
#![allow(unsafe_code)]

mod pwait2;
mod renewal;

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, OnceLock, TryLockError};
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::{EventfdFlags, Timespec, epoll, eventfd};
use rustix::io::{Errno, fcntl_dupfd_cloexec};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

use self::pwait2::epoll_pwait2;
use crate::deadline::{Deadline, timespec};
use crate::refusal::{os_refusal, second_waiter};
use crate::registered::Registered;
use crate::{
    BackendKind, BorrowedSource, Event, Interest, Kept, Key, Mode, Poller, Readiness, Release,
};

/// The epoll instance, and the eventfd that ends its waits.
pub(crate) struct Epoll {
    set: OwnedFd,
    registered: Registered,
    /// Registered edge-triggered: every write is an edge, and nobody has to read it.
    notifier: OwnedFd,
    /// A timerfd, made when it is first wanted. Registered edge-triggered: every expiry is an edge, and
    /// nobody has to read it.
    alarm: OnceLock<OwnedFd>,
    /// Taken for the length of a wait, so that a second waiting thread is found out.
    buffer: Mutex<Buffer>,
    /// Set by the waiting thread when the kernel turns out to know no nanoseconds, and read by it
    /// only; nothing else hangs on it, hence relaxed.
    milliseconds: AtomicBool,
    /// True when a deletion or a change has failed, so that the set may hold what cannot be taken out. Written
    /// and read by the host thread only; nothing else hangs on it, hence relaxed.
    stuck: AtomicBool,
}

/// What the kernel writes its events to.
struct Buffer(Vec<epoll::Event>);

// SAFETY: an event is not `Send` because its data may be a pointer. Here it is always the bits of
// a key, and nobody reads it as a pointer.
unsafe impl Send for Buffer {}

/// How many events one system call may report; the rest comes with the next.
const CAPACITY: usize = 1024;

/// The key of the notifier.
const NOTIFIER: Key = Key::from_bits(u64::MAX);

/// The key of the alarm.
const ALARM: Key = Key::from_bits(u64::MAX - 2);

/// The key of a registration that waits for nothing. The kernel reports hang-ups and errors to an
/// empty interest too; under this key they are known for what they are.
const NOBODY: Key = Key::from_bits(u64::MAX - 1);

impl Epoll {
    pub(crate) fn open() -> io::Result<Epoll> {
        let set = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let notifier = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        watch_edges(&set, &notifier, NOTIFIER)?;
        Ok(Epoll {
            set,
            registered: Registered::default(),
            notifier,
            alarm: OnceLock::new(),
            buffer: Mutex::new(Buffer(Vec::with_capacity(CAPACITY))),
            milliseconds: AtomicBool::new(false),
            stuck: AtomicBool::new(false),
        })
    }

    /// The alarm's timer.
    fn alarm(&self) -> rustix::io::Result<&OwnedFd> {
        if let Some(alarm) = self.alarm.get() {
            return Ok(alarm);
        }
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let mut alarm = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        // A source that was closed behind our back leaves its number free, and a change of it would change the alarm.
        let mut unfit = Vec::new();
        while self.registered.has_number_of(alarm.as_fd()) {
            let other = fcntl_dupfd_cloexec(&alarm, 0)?;
            unfit.push(std::mem::replace(&mut alarm, other));
        }
        watch_edges(&self.set, &alarm, ALARM)?;
        Ok(self.alarm.get_or_init(|| alarm))
    }

    /// One system call. A kernel without nanoseconds is asked again in milliseconds, and
    /// remembered.
    fn wait_once(
        &self,
        buffer: &mut Vec<epoll::Event>,
        timeout: Option<Duration>,
    ) -> rustix::io::Result<usize> {
        let timeout = timeout.map(timespec);
        let fine = timeout.filter(|timeout| timeout.tv_nsec % 1_000_000 != 0);
        if let Some(timeout) = fine.filter(|_| !self.milliseconds.load(Ordering::Relaxed)) {
            match epoll_pwait2(self.set.as_fd(), buffer, &timeout) {
                // Sandboxes answer EPERM to system calls that they do not know.
                Err(Errno::NOSYS | Errno::PERM) => self.milliseconds.store(true, Ordering::Relaxed),
                result => return result,
            }
        }
        // Rounds up.
        epoll::wait(&self.set, spare_capacity(buffer), timeout.as_ref())
    }
}

impl Poller for Epoll {
    fn kind(&self) -> BackendKind {
        BackendKind::Epoll
    }

    fn add(
        &self,
        source: BorrowedSource<'_>,
        key: Key,
        interest: Interest,
        mode: Mode,
    ) -> io::Result<()> {
        self.registered.add(BackendKind::Epoll, source, || {
            let (data, flags) = (data_for(key, interest), flags(interest, mode));
            match epoll::add(&self.set, source, data, flags) {
                // What is left of a registration that could not be taken out, as nobody has the number now.
                Err(Errno::EXIST) => Ok(epoll::modify(&self.set, source, data, flags)?),
                added => Ok(added?),
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
        epoll::modify(&self.set, source, data_for(key, interest), flags(interest, mode)).map_err(
            |errno| {
                self.stuck.store(true, Ordering::Relaxed);
                os_refusal(BackendKind::Epoll, source, errno)
            },
        )
    }

    fn delete(&self, source: BorrowedSource<'_>, _key: Key) -> Release {
        self.registered.delete(source);
        // Fails only where the descriptor was closed behind our back.
        if epoll::delete(&self.set, source).is_err() {
            self.stuck.store(true, Ordering::Relaxed);
        }
        Release::Now
    }

    fn wait(&self, events: &mut Vec<Event>, timeout: Option<Duration>) -> io::Result<()> {
        let mut buffer = match self.buffer.try_lock() {
            Ok(buffer) => buffer,
            Err(TryLockError::Poisoned(buffer)) => buffer.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(second_waiter(BackendKind::Epoll)),
        };
        let buffer = &mut buffer.0;
        buffer.clear();
        let deadline = Deadline::after(timeout);
        let mut left = timeout;
        loop {
            match self.wait_once(buffer, left) {
                Ok(0) | Err(Errno::INTR) => left = deadline.left(),
                Ok(_) => break,
                Err(errno) => return Err(errno.into()),
            }
            if left == Some(Duration::ZERO) {
                break;
            }
        }
        events.reserve(buffer.len());
        for event in buffer.iter() {
            let key = key(event);
            if !matches!(key, NOTIFIER | ALARM | NOBODY) {
                events.push(Event::Ready { key, readiness: readiness(event.flags) });
            }
        }
        Ok(())
    }

    fn notify(&self) -> io::Result<()> {
        rustix::io::write(&self.notifier, &1u64.to_ne_bytes())?;
        Ok(())
    }

    fn applies_at_once(&self) -> bool {
        true
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

    fn keeps_closed(&self) -> bool {
        true
    }

    fn is_stuck(&self) -> bool {
        self.stuck.load(Ordering::Relaxed)
    }

    fn renew(&self, kept: &[Kept<'_>], events: &mut Vec<Event>) -> io::Result<()> {
        self.replace_set(kept, events)
    }

    fn tells_ends(&self) -> bool {
        true
    }

    fn descriptor(&self) -> Option<BorrowedSource<'_>> {
        Some(self.set.as_fd())
    }

    fn set_alarm(&self, after: Option<Duration>) -> io::Result<()> {
        // Zero would mean "never" to the kernel.
        let after = after.map(|after| timespec(after.max(Duration::from_nanos(1))));
        let it_value = after.unwrap_or_default();
        let timer = Itimerspec { it_interval: Timespec::default(), it_value };
        timerfd_settime(self.alarm()?, TimerfdTimerFlags::empty(), &timer)?;
        Ok(())
    }
}

/// Has `set` report each edge of a descriptor that nobody reads.
fn watch_edges(set: &OwnedFd, source: &OwnedFd, key: Key) -> rustix::io::Result<()> {
    epoll::add(set, source, data(key), epoll::EventFlags::IN | epoll::EventFlags::ET)
}

fn data(key: Key) -> epoll::EventData {
    epoll::EventData::new_u64(key.to_bits())
}

fn data_for(key: Key, interest: Interest) -> epoll::EventData {
    data(if interest.is_none() { NOBODY } else { key })
}

fn key(event: &epoll::Event) -> Key {
    // The kernel's struct is packed: its fields are copied, not borrowed.
    let data = event.data;
    Key::from_bits(data.u64())
}

fn flags(interest: Interest, mode: Mode) -> epoll::EventFlags {
    const WANTED: [(Interest, epoll::EventFlags); 3] = [
        (Interest::READABLE, epoll::EventFlags::IN.union(epoll::EventFlags::RDHUP)),
        (Interest::WRITABLE, epoll::EventFlags::OUT),
        (Interest::PRIORITY, epoll::EventFlags::PRI),
    ];
    let wanted = WANTED.iter().filter(|(want, _)| interest.contains(*want));
    let reported = match mode {
        // A hang-up is reported to an empty interest: once is enough.
        Mode::Level if !interest.is_none() => epoll::EventFlags::empty(),
        Mode::Oneshot | Mode::Level => epoll::EventFlags::ONESHOT,
        Mode::Edge => epoll::EventFlags::ET,
    };
    wanted.fold(reported, |flags, (_, flag)| flags | *flag)
}

fn readiness(flags: epoll::EventFlags) -> Readiness {
    const HAPPENED: [(epoll::EventFlags, Readiness); 6] = [
        (epoll::EventFlags::IN, Readiness::READABLE),
        (epoll::EventFlags::OUT, Readiness::WRITABLE),
        (epoll::EventFlags::PRI, Readiness::PRIORITY),
        (epoll::EventFlags::RDHUP, Readiness::READ_CLOSED),
        (epoll::EventFlags::HUP, Readiness::HANG_UP),
        (epoll::EventFlags::ERR, Readiness::ERROR),
    ];
    let happened = HAPPENED.iter().filter(|(flag, _)| flags.contains(*flag));
    happened.fold(Readiness::NONE, |readiness, (_, what)| readiness | *what)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn timeouts_are_kept_with_and_without_nanoseconds() {
        let epoll = Epoll::open().unwrap();
        for milliseconds in [false, true] {
            epoll.milliseconds.store(milliseconds, Ordering::Relaxed);
            let (start, timeout) = (Instant::now(), Duration::from_micros(1300));
            epoll.wait(&mut Vec::new(), Some(timeout)).unwrap();
            assert!(start.elapsed() >= timeout);
        }
    }

    #[test]
    fn the_wait_in_nanoseconds_fills_the_buffer() {
        let epoll = Epoll::open().unwrap();
        epoll.notify().unwrap();
        let mut events = Vec::with_capacity(4);
        match epoll_pwait2(epoll.set.as_fd(), &mut events, &timespec(Duration::from_nanos(7))) {
            Ok(count) => assert_eq!((count, key(&events[0])), (1, NOTIFIER)),
            // An old kernel, or a sandbox.
            Err(errno) => assert!(matches!(errno, Errno::NOSYS | Errno::PERM), "{errno}"),
        }
    }
}
