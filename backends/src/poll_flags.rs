//! The flags of poll(2) in our words, for every call that speaks them.

use rustix::event::PollFlags;

use crate::{Interest, Readiness};

/// The flag of a half-close, where the system has one. Elsewhere a half-close is readable.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
const READ_CLOSED: PollFlags = PollFlags::RDHUP;
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const READ_CLOSED: PollFlags = PollFlags::empty();

/// What `interest` asks of poll.
pub(crate) fn wanted(interest: Interest) -> PollFlags {
    const WANTED: [(Interest, PollFlags); 3] = [
        (Interest::READABLE, PollFlags::IN.union(READ_CLOSED)),
        (Interest::WRITABLE, PollFlags::OUT),
        (Interest::PRIORITY, PollFlags::PRI),
    ];
    let wanted = WANTED.iter().filter(|(want, _)| interest.contains(*want));
    wanted.fold(PollFlags::empty(), |flags, (_, flag)| flags | *flag)
}

/// What poll answered.
pub(crate) fn readiness(flags: PollFlags) -> Readiness {
    const HAPPENED: [(PollFlags, Readiness); 7] = [
        (PollFlags::IN, Readiness::READABLE),
        (PollFlags::OUT, Readiness::WRITABLE),
        (PollFlags::PRI, Readiness::PRIORITY),
        (READ_CLOSED, Readiness::READ_CLOSED),
        (PollFlags::HUP, Readiness::HANG_UP),
        (PollFlags::ERR, Readiness::ERROR),
        (PollFlags::NVAL, Readiness::INVALID),
    ];
    let happened = HAPPENED.iter().filter(|(flag, _)| flags.intersects(*flag));
    happened.fold(Readiness::NONE, |readiness, (_, what)| readiness | *what)
}
