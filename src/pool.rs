//! Closures on the thread pool, and what a shutdown knows of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use interloop_backends::Key;

use crate::label::Label;
use crate::shared::Shared;
use crate::slots::Slots;

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

/// One closure, until it has run or was dropped, and its result has come to the host thread.
pub(crate) struct Running {
    shared: Arc<Shared>,
    key: Key,
}

impl Running {
    pub(crate) fn begin(shared: &Arc<Shared>, label: Label) -> Arc<Running> {
        let key = shared.pool.lock().insert(label);
        Arc::new(Running { shared: Arc::clone(shared), key })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let removed = self.shared.pool.lock().remove(self.key);
        drop(removed);
        // A shutdown that waits for this one set its flag before it looked under the lock: either it
        // looked after the removal, or the flag is seen here.
        if self.shared.is_stopping() {
            self.shared.wake();
        }
    }
}
