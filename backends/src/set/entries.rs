//! The armed registrations of a backend whose system call takes them all each time.

use crate::changes::Entry;
use crate::{Key, Mode};

/// The armed registrations, dense and in no order. The waiting thread owns it.
///
/// One that is not armed is not in it, for a hang-up is reported to everything in a set.
#[derive(Default)]
pub(crate) struct Set {
    entries: Vec<Entry>,
    /// By the slot of a key, where its entry is; [`NOWHERE`] for one that has none.
    positions: Vec<usize>,
}

const NOWHERE: usize = usize::MAX;

impl Set {
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Puts `entry` in the place of the one with its key, if there is one.
    pub(crate) fn arm(&mut self, entry: Entry) {
        let slot = entry.key.slot() as usize;
        if self.positions.len() <= slot {
            self.positions.resize(slot + 1, NOWHERE);
        }
        match self.position(entry.key) {
            Some(position) => self.entries[position] = entry,
            None => {
                self.positions[slot] = self.entries.len();
                self.entries.push(entry);
            }
        }
    }

    /// Takes the entry with `key` out, if it was to be reported once.
    pub(crate) fn reported(&mut self, key: Key) {
        if self.position(key).is_some_and(|at| self.entries[at].mode == Mode::Oneshot) {
            self.disarm(key);
        }
    }

    /// Takes the entry with `key` out, if there is one.
    pub(crate) fn disarm(&mut self, key: Key) {
        let Some(position) = self.position(key) else { return };
        self.positions[key.slot() as usize] = NOWHERE;
        self.entries.swap_remove(position);
        if let Some(moved) = self.entries.get(position) {
            self.positions[moved.key.slot() as usize] = position;
        }
    }

    fn position(&self, key: Key) -> Option<usize> {
        let position = *self.positions.get(key.slot() as usize)?;
        self.entries.get(position).is_some_and(|entry| entry.key == key).then_some(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Interest;

    fn entry(slot: u32) -> Entry {
        let source = rustix::stdio::stdin();
        let (interest, mode) = (Interest::READABLE, Mode::Oneshot);
        Entry { key: Key::new(slot, 0), source, interest, mode }
    }

    fn slots(set: &Set) -> Vec<u32> {
        set.entries().iter().map(|entry| entry.key.slot()).collect()
    }

    #[test]
    fn disarming_keeps_the_others_findable() {
        let mut set = Set::default();
        (0..4).for_each(|slot| set.arm(entry(slot)));
        set.disarm(Key::new(1, 0));
        set.disarm(Key::new(3, 0));
        set.disarm(Key::new(0, 0));
        assert_eq!(slots(&set), [2]);
        set.arm(entry(2));
        assert_eq!(slots(&set), [2]);
    }

    #[test]
    fn a_key_of_another_generation_is_another_key() {
        let mut set = Set::default();
        set.arm(entry(0));
        set.disarm(Key::new(0, 1));
        assert_eq!(slots(&set), [0]);
    }
}
