//! What each registration is armed for, so that one arming is reported once.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Interest, Key, Mode};

/// By the slot of a key, its generation and what it is armed for.
///
/// Grows without moving, for two threads use it at once: bucket n has the slots whose number is
/// n bits long.
pub(super) struct Armed {
    buckets: [OnceLock<Box<[Slot]>>; 33],
}

/// A generation in the upper half, the bits of an interest in the lower, and those of the mode.
///
/// The registering thread stores, before it tells the kernel; the waiting thread takes, after the
/// kernel told it. The release of the store and the acquire of the take publish nothing but the
/// word itself; the order that matters is that of the system calls.
type Slot = AtomicU64;

/// Set for a registration in the mode `Level`, which stays armed when it is reported.
const LEVEL: u64 = 1 << 8;
/// The same in the mode `Edge`.
const EDGE: u64 = 1 << 9;
const STAYS: u64 = LEVEL | EDGE;

impl Default for Armed {
    fn default() -> Armed {
        Armed { buckets: [const { OnceLock::new() }; 33] }
    }
}

impl Armed {
    /// Notes that `key` is armed for `interest`. True where it was in another mode before.
    pub(super) fn set(&self, key: Key, interest: Interest, mode: Mode) -> bool {
        let mode = match mode {
            Mode::Oneshot => 0,
            Mode::Level => LEVEL,
            Mode::Edge => EDGE,
        };
        let before = self.slot(key).swap(word(key, interest) | mode, Ordering::AcqRel);
        generation(before) == key.generation() && before & STAYS != mode
    }

    /// True if `key` is armed for `interest`, maybe among others. In the mode `Oneshot` it is
    /// disarmed by this.
    pub(super) fn take(&self, key: Key, interest: Interest) -> bool {
        let disarm = |armed: u64| {
            let same = generation(armed) == key.generation();
            let wanted = armed as u8 & interest.bits() != 0;
            let left = if armed & STAYS != 0 { armed } else { word(key, Interest::NONE) };
            (same && wanted).then_some(left)
        };
        self.slot(key).fetch_update(Ordering::AcqRel, Ordering::Acquire, disarm).is_ok()
    }

    fn slot(&self, key: Key) -> &Slot {
        let bits = (u32::BITS - key.slot().leading_zeros()) as usize;
        let first = if bits == 0 { 0 } else { 1 << (bits - 1) };
        let length = first.max(1);
        let bucket = self.buckets[bits].get_or_init(|| (0..length).map(|_| Slot::new(0)).collect());
        &bucket[key.slot() as usize - first]
    }
}

fn generation(word: u64) -> u32 {
    (word >> 32) as u32
}

fn word(key: Key, interest: Interest) -> u64 {
    u64::from(key.generation()) << 32 | u64::from(interest.bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_arming_is_taken_once() {
        let armed = Armed::default();
        for key in [0, 1, 2, 3, 4, 1023, 1024, 70_000].map(|slot| Key::new(slot, 3)) {
            assert!(!armed.take(key, Interest::READABLE));
            armed.set(key, Interest::READABLE | Interest::WRITABLE, Mode::Oneshot);
            assert!(!armed.take(Key::new(key.slot(), 2), Interest::READABLE));
            assert!(armed.take(key, Interest::READABLE));
            assert!(!armed.take(key, Interest::WRITABLE));
        }
    }

    #[test]
    fn a_change_of_the_mode_is_told() {
        let (armed, key) = (Armed::default(), Key::new(5, 7));
        let next = Key::new(5, 8);
        for (key, mode, changed) in [
            (key, Mode::Oneshot, false),
            (key, Mode::Oneshot, false),
            (key, Mode::Level, true),
            (key, Mode::Level, false),
            (key, Mode::Edge, true),
            (key, Mode::Oneshot, true),
            (key, Mode::Edge, true),
            (next, Mode::Level, false),
        ] {
            assert_eq!(armed.set(key, Interest::READABLE, mode), changed, "{mode:?}");
        }
        // One of two filters is left where the other has fired.
        armed.set(next, Interest::READABLE | Interest::WRITABLE, Mode::Oneshot);
        assert!(armed.take(next, Interest::READABLE));
        assert!(armed.set(next, Interest::READABLE, Mode::Level));
    }

    #[test]
    fn an_edge_or_a_level_disarms_nothing() {
        let (armed, key) = (Armed::default(), Key::new(5, 7));
        for mode in [Mode::Edge, Mode::Level] {
            armed.set(key, Interest::READABLE, mode);
            assert!(armed.take(key, Interest::READABLE));
            assert!(armed.take(key, Interest::READABLE));
            assert!(!armed.take(key, Interest::WRITABLE));
        }
    }

    #[test]
    fn what_was_not_asked_for_does_not_disarm() {
        let (armed, key) = (Armed::default(), Key::new(5, 0));
        armed.set(key, Interest::READABLE, Mode::Oneshot);
        assert!(!armed.take(key, Interest::WRITABLE));
        assert!(armed.take(key, Interest::READABLE));
    }
}
