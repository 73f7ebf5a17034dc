//! The waker of a task, for any thread.

use std::sync::Arc;
use std::task::Wake;

use interloop_backends::Key;

use crate::inbox::Underway;
use crate::local;
use crate::shared::Shared;

pub(crate) struct Woken {
    key: Key,
    shared: Arc<Shared>,
    underway: Underway,
}

impl Woken {
    pub(crate) fn new(key: Key, shared: Arc<Shared>) -> Woken {
        Woken { key, shared, underway: Underway::new() }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// The host thread: has the key from the inbox, and polls the task after this.
    pub(crate) fn arrive(&self) {
        self.underway.end();
    }

    /// The host thread: the task is over, and its waker a waker of nothing.
    pub(crate) fn silence(&self) {
        self.underway.silence();
    }
}

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let shared = &self.shared;
        if let Some(core) = local::find_turning(shared.id).or_else(|| local::find(shared.id)) {
            core.wake_task(self.key);
        } else if !shared.is_host() && shared.inbox.push_task(self.key, &self.underway) {
            shared.wake();
        }
    }
}
