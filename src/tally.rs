//! A count of those who hold on to something that one thread owns.
//!
//! The owner's thread counts without atomics what is copied and dropped there, which is most; other threads
//! count beside it. A copy that is made on one side may be dropped on the other, so that only the sum of the two
//! counts means anything, and it is not looked at while the owner is there. When the owner goes it adds its
//! count to that of the others, and whoever takes the sum to nothing from then on is the last.
#![allow(unsafe_code)]

use std::cell::Cell;

use crate::sync::{AtomicU64, Ordering};

/// The owner's own share: more than there can be copies that were made on its thread and dropped on others, as
/// each of those takes its time.
const SHARE: u64 = 1 << 62;

pub(crate) struct Tally {
    /// The copies of the other threads and, while the owner is there, its share. It changes by
    /// read-modify-writes only: relaxed where it grows, as who copies has a copy; AcqRel where it shrinks, so
    /// that the last one acquires what all others have done with theirs. The loom model
    /// `tally_has_one_last_holder` covers it.
    abroad: AtomicU64,
    /// The copies that were made on the owner's thread, less those that were dropped there. Of that thread
    /// alone.
    home: Cell<u64>,
    /// Not 0 once the owner has gone. Of its thread alone. A word, so that all of this is in cells: whoever lets go last
    /// frees it while others still have a reference on their stacks.
    settled: Cell<u64>,
}

// SAFETY: only methods that are for the owner's thread touch a cell, and they say so; `abroad` is atomic.
unsafe impl Sync for Tally {}

impl Tally {
    pub(crate) fn new() -> Tally {
        Tally { abroad: AtomicU64::new(SHARE), home: Cell::new(0), settled: Cell::new(0) }
    }

    /// One copy more.
    ///
    /// # Safety
    ///
    /// `home` is true on the owner's thread, and nowhere else.
    #[inline]
    pub(crate) unsafe fn add(&self, home: bool) {
        if home && self.settled.get() == 0 {
            self.home.set(self.home.get().wrapping_add(1));
        } else {
            self.abroad.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// One copy less. True when that was the last, and the owner has gone.
    ///
    /// # Safety
    ///
    /// `home` is true on the owner's thread, and nowhere else.
    #[must_use]
    pub(crate) unsafe fn remove(&self, home: bool) -> bool {
        if home && self.settled.get() == 0 {
            self.home.set(self.home.get().wrapping_sub(1));
            return false;
        }
        self.abroad.fetch_sub(1, Ordering::AcqRel) == 1
    }

    /// The owner goes. True when there is no copy.
    ///
    /// # Safety
    ///
    /// Once, on the owner's thread.
    #[must_use]
    pub(crate) unsafe fn settle(&self) -> bool {
        self.settled.set(1);
        let change = self.home.get().wrapping_sub(SHARE);
        self.abroad.fetch_add(change, Ordering::AcqRel).wrapping_add(change) == 0
    }
}
