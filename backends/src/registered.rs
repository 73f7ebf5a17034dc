//! The descriptors that are registered, so that one registered twice is found out.
//!
//! No kernel says it in every case: poll and select know no registrations, kqueue takes a second
//! one for a change of the first, and epoll lets a new file have the number of one that was closed
//! behind our back, whose later deletion would then hit the wrong one.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::refusal::{os_refusal, refuse_always_ready, registered_twice};
use crate::{BackendKind, BorrowedSource, source_number};

/// The numbers of the registered descriptors, 64 to a word: numbers are small and dense, and a reactor may
/// hold very many.
///
/// Asked when a registration comes and when it goes, never when something happens to it. The lock
/// is not contended: one thread registers.
#[derive(Default)]
pub(crate) struct Registered(Mutex<HashMap<u64, u64>>);

impl Registered {
    /// Calls `add`, unless `source` is registered or of a kind that nobody can watch, and remembers
    /// it if that goes well.
    pub(crate) fn add(
        &self,
        backend: BackendKind,
        source: BorrowedSource<'_>,
        add: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<()> {
        refuse_always_ready(backend, source)?;
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (word, bit) = place(source);
        if numbers.get(&word).is_some_and(|bits| bits & bit != 0) {
            return Err(registered_twice(backend, source));
        }
        add().map_err(|error| os_refusal(backend, source, error))?;
        *numbers.entry(word).or_default() |= bit;
        Ok(())
    }

    /// True for a number that a registration has, be it closed by now.
    #[cfg(any(has_epoll, has_io_uring))]
    pub(crate) fn has_number_of(&self, source: BorrowedSource<'_>) -> bool {
        let numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (word, bit) = place(source);
        numbers.get(&word).is_some_and(|bits| bits & bit != 0)
    }

    /// Forgets `source`.
    pub(crate) fn delete(&self, source: BorrowedSource<'_>) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (word, bit) = place(source);
        if let Entry::Occupied(mut bits) = numbers.entry(word) {
            *bits.get_mut() &= !bit;
            if *bits.get() == 0 {
                bits.remove();
            }
        }
    }
}

/// The word that a number is in, and its bit.
fn place(source: BorrowedSource<'_>) -> (u64, u64) {
    let number = source_number(source);
    (number / 64, 1 << (number % 64))
}
