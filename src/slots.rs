//! A table whose keys are never used twice.

use interloop_backends::Key;

use crate::prefetch::prefetch;

/// How many slots are made at once. Those that are there stay where they are.
const CHUNK: usize = 64;

pub(crate) struct Slots<T> {
    /// All are full but the last.
    chunks: Vec<Vec<Slot<T>>>,
    free: Vec<u32>,
}

struct Slot<T> {
    generation: u32,
    item: Option<T>,
}

impl<T> Slots<T> {
    pub(crate) fn new() -> Slots<T> {
        Slots { chunks: Vec::new(), free: Vec::new() }
    }

    /// The key that the next `insert` will give out.
    pub(crate) fn next_key(&self) -> Key {
        match self.free.last() {
            Some(&slot) => {
                let generation = self.slot(slot).map_or(0, |slot| slot.generation);
                Key::new(slot, generation)
            }
            None => Key::new(self.capacity() as u32, 0),
        }
    }

    pub(crate) fn insert(&mut self, item: T) -> Key {
        let key = self.next_key();
        self.free.pop();
        match self.slot_mut(key.slot()) {
            Some(slot) => slot.item = Some(item),
            None => self.append(Slot { generation: 0, item: Some(item) }),
        }
        key
    }

    #[inline]
    pub(crate) fn get(&self, key: Key) -> Option<&T> {
        let slot = self.slot(key.slot())?;
        slot.item.as_ref().filter(|_| slot.generation == key.generation())
    }

    pub(crate) fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let slot = self.slot_mut(key.slot())?;
        slot.item.as_mut().filter(|_| slot.generation == key.generation())
    }

    /// The key of what is in a slot.
    #[inline]
    pub(crate) fn key_at(&self, slot: u32) -> Option<Key> {
        let generation = self.slot(slot).filter(|slot| slot.item.is_some())?.generation;
        Some(Key::new(slot, generation))
    }

    pub(crate) fn remove(&mut self, key: Key) -> Option<T> {
        self.slot(key.slot()).filter(|slot| slot.generation == key.generation())?;
        self.remove_at(key.slot())
    }

    /// Takes out what is in a slot, whatever its key.
    #[inline]
    pub(crate) fn remove_at(&mut self, at: u32) -> Option<T> {
        let slot = self.slot_mut(at)?;
        let item = slot.item.take()?;
        slot.generation = slot.generation.wrapping_add(1);
        self.free.push(at);
        Some(item)
    }

    /// What is in a slot, whatever its key.
    #[inline]
    pub(crate) fn get_at_mut(&mut self, at: u32) -> Option<&mut T> {
        self.slot_mut(at)?.item.as_mut()
    }

    /// Has the processor fetch a slot.
    #[inline]
    pub(crate) fn prefetch(&self, slot: u32) {
        if let Some(slot) = self.slot(slot) {
            prefetch(slot);
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, &T)> {
        self.chunks.iter().flatten().enumerate().filter_map(|(index, slot)| {
            slot.item.as_ref().map(|item| (Key::new(index as u32, slot.generation), item))
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.capacity() - self.free.len()
    }

    fn capacity(&self) -> usize {
        self.chunks.last().map_or(0, |last| (self.chunks.len() - 1) * CHUNK + last.len())
    }

    fn slot(&self, slot: u32) -> Option<&Slot<T>> {
        self.chunks.get(slot as usize / CHUNK)?.get(slot as usize % CHUNK)
    }

    fn slot_mut(&mut self, slot: u32) -> Option<&mut Slot<T>> {
        self.chunks.get_mut(slot as usize / CHUNK)?.get_mut(slot as usize % CHUNK)
    }

    fn append(&mut self, slot: Slot<T>) {
        match self.chunks.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(slot),
            None => {
                let mut chunk = Vec::with_capacity(CHUNK);
                chunk.push(slot);
                self.chunks.push(chunk);
            }
        }
    }

    /// Takes everything out.
    pub(crate) fn drain(&mut self) -> Vec<(Key, T)> {
        let keys: Vec<Key> = self.iter().map(|(key, _)| key).collect();
        keys.into_iter().filter_map(|key| self.remove(key).map(|item| (key, item))).collect()
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_key_of_the_past_finds_nobody() {
        let mut slots = Slots::new();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b');
        assert_eq!(first.slot(), second.slot());
        assert_eq!(slots.get_mut(first), None);
        assert_eq!(slots.remove(first), None);
        assert_eq!(slots.get_mut(second), Some(&mut 'b'));
        assert_eq!(slots.len(), 1);
    }

    #[test]
    fn the_next_key_is_the_one_that_is_given_out() {
        let mut slots = Slots::new();
        for round in 0..100_u32 {
            let next = slots.next_key();
            assert_eq!(slots.insert(round), next);
            if round % 3 != 0 {
                slots.remove(next);
            }
        }
        let left: Vec<_> = slots.drain().into_iter().map(|(_, round)| round).collect();
        assert_eq!(left.len(), 34);
        assert!(left.iter().all(|round| round % 3 == 0));
        assert_eq!(slots.len(), 0);
    }
}
