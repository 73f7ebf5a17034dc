//! What one thread leaves, and a task on another waits for.

use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

pub(crate) struct Outcome<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    result: Option<T>,
    waker: Option<Waker>,
}

impl<T> Outcome<T> {
    pub(crate) fn new() -> Outcome<T> {
        Outcome { state: Mutex::new(State { result: None, waker: None }) }
    }

    pub(crate) fn put(&self, result: T) {
        let waker = {
            let mut state = self.lock();
            state.result = Some(result);
            state.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }

    /// Waits for the result, which is there once.
    pub(crate) async fn take(&self) -> T {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<T> {
        // Wakers are user code: cloned before the lock, and dropped after it.
        let waker = cx.waker().clone();
        let mut state = self.lock();
        if let Some(result) = state.result.take() {
            return Poll::Ready(result);
        }
        let old = state.waker.replace(waker);
        drop(state);
        drop(old);
        Poll::Pending
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
