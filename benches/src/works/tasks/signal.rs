//! What one task, or another thread, says to a task: go on.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Poll, Waker};

/// A signal between two tasks of one thread.
#[derive(Default)]
pub(super) struct Signal {
    set: Cell<bool>,
    waiting: RefCell<Option<Waker>>,
}

impl Signal {
    pub(super) fn set(&self) {
        self.set.set(true);
        let waiting = self.waiting.take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits for the signal and takes it.
    pub(super) async fn wait(&self) {
        poll_fn(|cx| {
            if self.set.take() {
                return Poll::Ready(());
            }
            self.waiting.replace(Some(cx.waker().clone()));
            Poll::Pending
        })
        .await;
    }
}

/// A signal that another thread gives.
#[derive(Default)]
pub(super) struct RemoteSignal {
    /// Set by the other thread, before it takes the waker under the lock; taken by the task, which looks
    /// again once its waker is in place. Acquire and release: what was done before the signal is seen
    /// after it.
    set: AtomicBool,
    waiting: Mutex<Option<Waker>>,
}

impl RemoteSignal {
    pub(super) fn set(&self) {
        self.set.store(true, Ordering::Release);
        let waiting = self.waiting.lock().expect("no panic holds it").take();
        waiting.into_iter().for_each(Waker::wake);
    }

    /// Waits for the signal and takes it.
    pub(super) async fn wait(&self) {
        poll_fn(|cx| {
            if !self.set.load(Ordering::Acquire) {
                self.waiting.lock().expect("no panic holds it").replace(cx.waker().clone());
            }
            if self.set.swap(false, Ordering::AcqRel) { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}
