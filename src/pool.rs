//! Closures on the thread pool, and what a shutdown knows of them.

#[cfg(feature = "unblock")]
mod running;

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::label::Label;
use crate::slots::Slots;
#[cfg(feature = "unblock")]
pub(crate) use running::Running;

/// The closures of one reactor that are queued for the pool or run on it, by their labels. The host
/// thread adds; whichever thread drops a [`Running`] takes out.
pub(crate) struct Pool {
    running: Mutex<Slots<Label>>,
}

impl Pool {
    pub(crate) fn new() -> Pool {
        Pool { running: Mutex::new(Slots::new()) }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.lock().len() > 0
    }

    pub(crate) fn labels(&self) -> Vec<Label> {
        self.lock().iter().map(|(_, label)| label.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Slots<Label>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
