//! The words that every backend speaks: keys, interests, readiness, events.

use std::fmt;
use std::ops::{BitOr, BitOrAssign};

use crate::BorrowedSource;

/// The id of one registration: a slot, and the generation that the slot was in.
///
/// A slot is used again, a key is not: an event that carries the key of a registration which is
/// gone finds nobody, even where its slot or its descriptor number has a new owner.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    generation: u32,
    slot: u32,
}

impl Key {
    /// Makes the key of `slot` in its `generation`.
    pub const fn new(slot: u32, generation: u32) -> Key {
        Key { generation, slot }
    }

    /// The slot, small and dense: fit to index a table with.
    pub const fn slot(self) -> u32 {
        self.slot
    }

    /// How often the slot was given out before.
    pub const fn generation(self) -> u32 {
        self.generation
    }

    /// Both halves in one word, for a kernel that hands one word back.
    pub const fn to_bits(self) -> u64 {
        (self.generation as u64) << 32 | self.slot as u64
    }

    /// The key that [`to_bits`](Key::to_bits) packed.
    pub const fn from_bits(bits: u64) -> Key {
        Key { generation: (bits >> 32) as u32, slot: bits as u32 }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}v{}", self.slot, self.generation)
    }
}

/// What a registration waits for.
///
/// Hang-ups, errors and an invalid descriptor are reported to every interest that is not
/// [`NONE`](Interest::NONE).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Interest(u8);

impl Interest {
    /// Nothing: registered, and silent until it is armed.
    pub const NONE: Interest = Interest(0);
    /// There is something to read or to accept, or the peer closed its half.
    pub const READABLE: Interest = Interest(1);
    /// There is room to write, or a connect has ended.
    pub const WRITABLE: Interest = Interest(2);
    /// There is out-of-band data, or what the descriptor's kind calls exceptional.
    pub const PRIORITY: Interest = Interest(4);

    /// True when every interest of `other` is in this one.
    pub const fn contains(self, other: Interest) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when this interest and `other` share something.
    pub const fn intersects(self, other: Interest) -> bool {
        self.0 & other.0 != 0
    }

    /// True for [`Interest::NONE`].
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The bits, for a backend that keeps them in an atomic.
    #[cfg(has_kqueue)]
    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    /// This interest without those of `other`.
    pub const fn without(self, other: Interest) -> Interest {
        Interest(self.0 & !other.0)
    }
}

impl BitOr for Interest {
    type Output = Interest;

    fn bitor(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }
}

impl BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Interest) {
        self.0 |= other.0;
    }
}

/// How often an armed registration is reported.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Mode {
    /// Once, level-triggered: then it is disarmed.
    Oneshot,
    /// By every wait, as long as something is true, until it is armed otherwise or deleted.
    Level,
    /// Each time that something becomes true, until it is armed otherwise or deleted.
    Edge,
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        names(f, self.0, &["READABLE", "WRITABLE", "PRIORITY"])
    }
}

/// What happened to a registered object.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Readiness(u8);

impl Readiness {
    /// Nothing happened.
    pub const NONE: Readiness = Readiness(0);
    /// A read or an accept will not block; at the end of a stream, it returns 0 bytes.
    pub const READABLE: Readiness = Readiness(1);
    /// A write will not block; for a socket that connects, the connect has ended.
    pub const WRITABLE: Readiness = Readiness(2);
    /// Out-of-band data, or what the descriptor's kind calls exceptional.
    pub const PRIORITY: Readiness = Readiness(4);
    /// The peer will send no more.
    pub const READ_CLOSED: Readiness = Readiness(8);
    /// Both halves are closed: a hang-up.
    pub const HANG_UP: Readiness = Readiness(16);
    /// The object has a pending error, which its next operation returns.
    pub const ERROR: Readiness = Readiness(32);
    /// The descriptor was closed behind the registration's back, or the backend has lost it. It
    /// will report nothing more.
    pub const INVALID: Readiness = Readiness(64);

    /// True when everything in `other` happened.
    pub const fn contains(self, other: Readiness) -> bool {
        self.0 & other.0 == other.0
    }

    /// True when nothing happened.
    pub const fn is_none(self) -> bool {
        self.0 == 0
    }

    /// True when a read will not block: there is data, an end, an error, or nothing any more.
    pub const fn is_readable(self) -> bool {
        const READ: u8 = Readiness::READABLE.0 | Readiness::READ_CLOSED.0;
        self.0 & (READ | Readiness::FINAL) != 0
    }

    /// True when a write will not block: there is room, an error, or nothing any more.
    pub const fn is_writable(self) -> bool {
        self.0 & (Readiness::WRITABLE.0 | Readiness::FINAL) != 0
    }

    /// True when the peer hung up, or will send no more.
    pub const fn is_closed(self) -> bool {
        self.0 & (Readiness::READ_CLOSED.0 | Readiness::HANG_UP.0) != 0
    }

    /// True when the object has a pending error.
    pub const fn is_error(self) -> bool {
        self.contains(Readiness::ERROR)
    }

    /// True when the descriptor is no longer watched, because it was closed behind our back.
    pub const fn is_invalid(self) -> bool {
        self.contains(Readiness::INVALID)
    }

    /// The part of `interest` that this readiness answers. A hang-up, an error and an invalid
    /// descriptor answer all of it.
    pub const fn answers(self, interest: Interest) -> Interest {
        if self.0 & Readiness::FINAL != 0 {
            return interest;
        }
        let read = self.0 & (Readiness::READABLE.0 | Readiness::READ_CLOSED.0) != 0;
        let bits = if read { Interest::READABLE.0 } else { 0 }
            | self.0 & (Readiness::WRITABLE.0 | Readiness::PRIORITY.0);
        Interest(bits & interest.0)
    }

    const FINAL: u8 = Readiness::HANG_UP.0 | Readiness::ERROR.0 | Readiness::INVALID.0;
}

impl BitOr for Readiness {
    type Output = Readiness;

    fn bitor(self, other: Readiness) -> Readiness {
        Readiness(self.0 | other.0)
    }
}

impl BitOrAssign for Readiness {
    fn bitor_assign(&mut self, other: Readiness) {
        self.0 |= other.0;
    }
}

impl fmt::Debug for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [&str; 7] =
            ["READABLE", "WRITABLE", "PRIORITY", "READ_CLOSED", "HANG_UP", "ERROR", "INVALID"];
        names(f, self.0, &NAMES)
    }
}

/// What a wait reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Event {
    /// An armed registration is ready. In the mode [`Oneshot`](Mode::Oneshot) it is disarmed by
    /// that.
    Ready {
        /// The registration.
        key: Key,
        /// What happened to it.
        readiness: Readiness,
    },
    /// A registration whose deletion had to wait for the waiting thread is let go of: its object
    /// may be closed.
    Released {
        /// The registration that was deleted.
        key: Key,
    },
}

/// A registration that [`Poller::renew`](crate::Poller::renew) is to keep.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// Its object.
    pub source: BorrowedSource<'a>,
    /// Its key.
    pub key: Key,
    /// What it is armed for.
    pub interest: Interest,
    /// How that is reported.
    pub mode: Mode,
}

/// Whether a deleted registration is out of the backend's hands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[must_use = "an object that the backend still holds must not be closed"]
pub enum Release {
    /// It is: the object may be closed.
    Now,
    /// It is not: the object must stay open until a wait has reported [`Event::Released`].
    Later,
}

fn names(f: &mut fmt::Formatter<'_>, bits: u8, names: &[&str]) -> fmt::Result {
    let mut rest = names.iter().enumerate().filter(|(bit, _)| bits & 1 << bit != 0);
    match rest.next() {
        None => f.write_str("NONE"),
        Some((_, first)) => {
            f.write_str(first)?;
            rest.try_for_each(|(_, name)| write!(f, " | {name}"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_its_bits() {
        for key in [Key::new(0, 0), Key::new(7, 9), Key::new(u32::MAX, 1), Key::new(1, u32::MAX)] {
            assert_eq!(Key::from_bits(key.to_bits()), key);
        }
        assert_eq!(format!("{:?}", Key::new(7, 9)), "7v9");
    }

    #[test]
    fn what_ends_an_object_answers_every_interest() {
        let all = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        for end in [Readiness::HANG_UP, Readiness::ERROR, Readiness::INVALID] {
            assert_eq!(end.answers(all), all);
            assert_eq!(end.answers(Interest::NONE), Interest::NONE);
            assert!(end.is_readable() && end.is_writable());
        }
    }

    #[test]
    fn readiness_answers_what_it_is_about() {
        let both = Interest::READABLE | Interest::WRITABLE;
        assert_eq!(Readiness::READABLE.answers(both), Interest::READABLE);
        assert_eq!(Readiness::READ_CLOSED.answers(both), Interest::READABLE);
        assert_eq!(Readiness::WRITABLE.answers(both), Interest::WRITABLE);
        assert_eq!(Readiness::WRITABLE.answers(Interest::READABLE), Interest::NONE);
        assert_eq!(Readiness::PRIORITY.answers(both), Interest::NONE);
        assert_eq!(both.without(Interest::WRITABLE), Interest::READABLE);
    }

    #[test]
    fn sets_are_written_as_their_names() {
        assert_eq!(format!("{:?}", Interest::NONE), "NONE");
        let readiness = Readiness::READABLE | Readiness::HANG_UP;
        assert_eq!(format!("{readiness:?}"), "READABLE | HANG_UP");
    }
}
