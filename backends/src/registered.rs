//! The descriptors that are registered, so that one registered twice is found out.
//!
//! No kernel says it in every case: poll and select know no registrations, kqueue takes a second
//! one for a change of the first, and epoll lets a new file have the number of one that was closed
//! behind our back, whose later deletion would then hit the wrong one.

use std::collections::HashSet;
use std::io;
use std::sync::{Mutex, PoisonError};

use crate::refusal::{os_refusal, refuse_always_ready, registered_twice};
use crate::{BackendKind, BorrowedSource, source_number};

/// The numbers of the registered descriptors.
///
/// Asked when a registration comes and when it goes, never when something happens to it. The lock
/// is not contended: one thread registers.
#[derive(Default)]
pub(crate) struct Registered(Mutex<HashSet<u64>>);

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
        if numbers.contains(&source_number(source)) {
            return Err(registered_twice(backend, source));
        }
        add().map_err(|error| os_refusal(backend, source, error))?;
        numbers.insert(source_number(source));
        Ok(())
    }

    /// Forgets `source`.
    pub(crate) fn delete(&self, source: BorrowedSource<'_>) {
        let mut numbers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        numbers.remove(&source_number(source));
    }
}
