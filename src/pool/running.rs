//! A closure on its way through the thread pool.

use std::rc::Rc;
use std::sync::Arc;

use interloop_backends::Key;

use super::Closure;
use crate::core::Core;
use crate::label::Label;
use crate::shared::Shared;

/// One closure, until it has run or was dropped, and its result has come to the host thread.
pub(crate) struct Running {
    shared: Arc<Shared>,
    key: Key,
}

impl Running {
    pub(crate) fn begin(shared: &Arc<Shared>, label: Label) -> Arc<Running> {
        let key = shared.pool.lock().insert(Closure { label, task: None });
        Arc::new(Running { shared: Arc::clone(shared), key })
    }

    /// Says which task waits for the closure.
    pub(crate) fn awaited_by(&self, task: Key) {
        if let Some(closure) = self.shared.pool.lock().get_mut(self.key) {
            closure.task = Some(task);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // In a forked child the table may be locked for ever, by a thread that is not there.
        if !self.shared.process.is_current() {
            return;
        }
        let removed = self.shared.pool.lock().remove(self.key);
        drop(removed);
        // A shutdown that waits for this one set its flag before it looked under the lock: either it
        // looked after the removal, or the flag is seen here.
        if self.shared.is_stopping() {
            self.shared.wake();
        }
    }
}

/// What the task on the host thread holds until it has the result of its closure, or its panic.
pub(crate) struct Answer {
    pub(crate) core: Rc<Core>,
    pub(crate) _running: Arc<Running>,
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.core.tasks.pool_answered();
    }
}
