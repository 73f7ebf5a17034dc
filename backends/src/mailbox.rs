//! A place where one thread leaves batches for another, without locks and, once its buffers have
//! grown, without allocation.
//!
//! A batch that was not fetched is taken back, grown and put again, so that there is at most one.
//! The emptied buffer of a fetched batch goes back the same way. docs/ordering.md argues the
//! orderings; the loom model is `mailbox_delivers_everything_in_order`.
//!
//! One putting and one fetching thread need two buffers: while one is being drained, the other
//! fills. Only the putting thread takes from the empty ones, so that both are found again, and a
//! third is never made.
#![allow(unsafe_code)]

use std::ptr;

use crate::sync::{AtomicPtr, Ordering};

/// A mailbox for batches of `T`. One thread puts and one fetches, and the order is kept.
///
/// Where several threads put, nothing is lost either, but a batch that one of them holds, in order
/// to grow it, may be overtaken by a later one, even of the same thread.
pub struct Mailbox<T> {
    full: Slot<T>,
    empty: [Slot<T>; 2],
}

impl<T> Mailbox<T> {
    /// Makes an empty mailbox.
    pub fn new() -> Mailbox<T> {
        Mailbox { full: Slot::new(), empty: [Slot::new(), Slot::new()] }
    }

    /// Moves all of `items` into the mailbox and leaves `items` empty. What was put before stays
    /// in front.
    pub fn put(&self, items: &mut Vec<T>) {
        self.put_and(items, |_| ());
    }

    /// As [`put`](Mailbox::put), and lets `tidy` look at all that waits to be fetched.
    pub fn put_and(&self, items: &mut Vec<T>, tidy: impl FnOnce(&mut Vec<T>)) {
        if !items.is_empty() {
            self.grow(|batch| {
                batch.append(items);
                tidy(batch);
            });
        }
    }

    /// Moves `item` into the mailbox, behind what was put before.
    pub fn push(&self, item: T) {
        self.grow(|batch| batch.push(item));
    }

    fn grow(&self, grow: impl FnOnce(&mut Vec<T>)) {
        let unused = || self.empty.iter().find_map(|slot| slot.swap(None));
        let mut batch = self.full.swap(None).or_else(unused).unwrap_or_default();
        grow(&mut batch);
        // Another thread may have put in between; its items go in front.
        while let Some(mut other) = self.full.swap(Some(batch)) {
            if let Some(mut back) = self.full.swap(None) {
                other.append(&mut back);
            }
            batch = other;
        }
    }

    /// Moves everything in the mailbox to the end of `items`, by `push`.
    pub fn fetch(&self, mut push: impl FnMut(T)) {
        if let Some(mut batch) = self.full.swap(None) {
            batch.drain(..).for_each(&mut push);
            let displaced = self.empty[0].swap(Some(batch));
            if displaced.is_some() {
                self.empty[1].swap(displaced);
            }
        }
    }
}

impl<T> Default for Mailbox<T> {
    fn default() -> Mailbox<T> {
        Mailbox::new()
    }
}

/// An owned buffer, or none, that changes hands in one atomic step.
struct Slot<T> {
    /// Null, or a pointer that `Box::into_raw` gave. Written and read by both threads, by swap
    /// only: the release half publishes the buffer's content, the acquire half receives it.
    buffer: AtomicPtr<Vec<T>>,
}

// SAFETY: a slot holds nothing but an owned `Vec<T>` that goes from thread to thread whole, as a
// channel of `Vec<T>` does.
unsafe impl<T: Send> Send for Slot<T> {}
// SAFETY: as above; `&Slot` gives no access to the buffer but by taking it out.
unsafe impl<T: Send> Sync for Slot<T> {}

impl<T> Slot<T> {
    fn new() -> Slot<T> {
        Slot { buffer: AtomicPtr::new(ptr::null_mut()) }
    }

    // `AtomicPtr` needs a pointer of one word, which a `Vec` is not.
    #[allow(clippy::box_collection)]
    fn swap(&self, new: Option<Box<Vec<T>>>) -> Option<Box<Vec<T>>> {
        let new = new.map_or(ptr::null_mut(), Box::into_raw);
        let old = self.buffer.swap(new, Ordering::AcqRel);
        // SAFETY: a pointer in the slot came from `Box::into_raw`, and the swap that takes it out
        // is the only one to see it, so that it is boxed again once.
        (!old.is_null()).then(|| unsafe { Box::from_raw(old) })
    }
}

impl<T> Drop for Slot<T> {
    fn drop(&mut self) {
        drop(self.swap(None));
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_fetched_stays_in_front() {
        let mailbox = Mailbox::new();
        mailbox.put(&mut vec![1, 2]);
        mailbox.push(3);
        let mut fetched = Vec::new();
        mailbox.fetch(|item| fetched.push(item));
        mailbox.fetch(|item| fetched.push(item));
        assert_eq!(fetched, [1, 2, 3]);
    }

    #[test]
    fn a_put_beside_a_fetch_keeps_both_buffers() {
        let mailbox = Mailbox::new();
        mailbox.put(&mut vec![1]);
        mailbox.fetch(|item| mailbox.put(&mut vec![item + 1]));
        mailbox.fetch(|item| assert_eq!(item, 2));
        assert!(mailbox.empty.iter().all(|slot| slot.swap(None).is_some()));
    }
}
