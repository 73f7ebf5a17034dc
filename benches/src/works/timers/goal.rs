//! A number of wakes to wait for.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

/// Counts wakes, and wakes in turn when as many have come as were wanted.
pub(super) struct Goal {
    /// Written by whoever wakes, read by the one who waits, who is woken under the lock afterwards.
    /// Relaxed: nothing else is published by it.
    left: AtomicUsize,
    waiting: Mutex<Option<Waker>>,
}

impl Goal {
    pub(super) fn new(wanted: usize) -> Arc<Goal> {
        Arc::new(Goal { left: AtomicUsize::new(wanted), waiting: Mutex::new(None) })
    }

    /// Waits until all wakes have come.
    pub(super) async fn reached(&self) {
        poll_fn(|cx| {
            // In place before the look: a last wake that the look does not see finds the waker.
            self.waiting.lock().expect("no panic holds it").replace(cx.waker().clone());
            if self.left.load(Ordering::Relaxed) == 0 { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    }
}

impl Wake for Goal {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let waker = self.waiting.lock().expect("no panic holds it").take();
            waker.into_iter().for_each(Waker::wake);
        }
    }
}

/// Boxes a future and polls it once, as its executor would. One that is over counts as woken.
pub(super) fn polled<F: Future>(future: F, waker: &Waker) -> Pin<Box<F>> {
    let mut future = Box::pin(future);
    if future.as_mut().poll(&mut Context::from_waker(waker)).is_ready() {
        waker.wake_by_ref();
    }
    future
}
