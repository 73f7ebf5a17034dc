//! A closure on its way through the thread pool.

use std::sync::Arc;

use interloop_backends::Key;

use crate::label::Label;
use crate::shared::Shared;

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
