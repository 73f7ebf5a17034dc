//! `struct pollfd` in our words.

use rustix::event::{PollFd, PollFlags};

use super::Entry;
use crate::{Interest, Readiness};

/// The flag of a half-close, where the system has one. Elsewhere a half-close is readable.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const READ_CLOSED: PollFlags = PollFlags::RDHUP;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const READ_CLOSED: PollFlags = PollFlags::empty();

/// What `entry` asks of poll.
pub(crate) fn polled(entry: &Entry) -> PollFd<'static> {
    const WANTED: [(Interest, PollFlags); 3] = [
        (Interest::READABLE, PollFlags::IN.union(READ_CLOSED)),
        (Interest::WRITABLE, PollFlags::OUT),
        (Interest::PRIORITY, PollFlags::PRI),
    ];
    let wanted = WANTED.iter().filter(|(want, _)| entry.interest.contains(*want));
    let flags = wanted.fold(PollFlags::empty(), |flags, (_, flag)| flags | *flag);
    PollFd::from_borrowed_fd(entry.source, flags)
}

/// What poll answered.
pub(crate) fn readiness(polled: &PollFd<'_>) -> Readiness {
    const HAPPENED: [(PollFlags, Readiness); 7] = [
        (PollFlags::IN, Readiness::READABLE),
        (PollFlags::OUT, Readiness::WRITABLE),
        (PollFlags::PRI, Readiness::PRIORITY),
        (READ_CLOSED, Readiness::READ_CLOSED),
        (PollFlags::HUP, Readiness::HANG_UP),
        (PollFlags::ERR, Readiness::ERROR),
        (PollFlags::NVAL, Readiness::INVALID),
    ];
    let flags = polled.revents();
    let happened = HAPPENED.iter().filter(|(flag, _)| flags.intersects(*flag));
    happened.fold(Readiness::NONE, |readiness, (_, what)| readiness | *what)
}
