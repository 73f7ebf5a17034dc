//! Closures on the thread pool, and what a shutdown knows of them.

#[cfg(feature = "unblock")]
mod outcome;
#[cfg(feature = "unblock")]
mod running;
#[cfg(feature = "unblock")]
mod threads;

use std::sync::{Mutex, MutexGuard, PoisonError};

use interloop_backends::Key;

use crate::label::Label;
use crate::slots::Slots;
#[cfg(feature = "unblock")]
pub(crate) use running::{Answer, Running};
#[cfg(feature = "unblock")]
pub(crate) use threads::unblock;
#[cfg(feature = "net")]
pub(crate) use {outcome::Outcome, threads::run};

/// The closures of one reactor that are queued for the pool or run on it. The host thread adds;
/// whichever thread drops a [`Running`] takes out.
pub(crate) struct Pool {
    running: Mutex<Slots<Closure>>,
}

/// A closure, as a report names it.
#[derive(Clone)]
pub(crate) struct Closure {
    /// Where it was made.
    pub(crate) label: Label,
    /// The task that waits for it, which may have a label of its own.
    pub(crate) task: Option<Key>,
}

impl Pool {
    pub(crate) fn new() -> Pool {
        Pool { running: Mutex::new(Slots::new()) }
    }

    pub(crate) fn is_busy(&self) -> bool {
        self.lock().len() > 0
    }

    pub(crate) fn see(&self) -> Vec<Closure> {
        self.lock().iter().map(|(_, closure)| closure.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Slots<Closure>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
