//! Waiting for the end of a reactor, as a thread or as a task.

use std::fmt;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use crate::shared::Shared;

/// The end of a reactor, and who waits for it.
pub(crate) struct End {
    /// Set by the host thread, before the waiters are taken; in a forked child, which has none, without that.
    /// Release publishes all that the reactor did before its end.
    reached: AtomicBool,
    /// Futures that wait. One that adds itself looks at `reached` under the lock: it is taken by
    /// `reach`, or sees it.
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Default)]
struct Waiting {
    wakers: Vec<(u64, Waker)>,
    next: u64,
}

impl End {
    pub(crate) fn new() -> End {
        End { reached: AtomicBool::new(false), waiting: Mutex::default(), changed: Condvar::new() }
    }

    pub(crate) fn reach(&self) {
        self.reach_unheard();
        let wakers = std::mem::take(&mut self.lock().wakers);
        self.changed.notify_all();
        for (_, waker) in wakers {
            // Somebody else's waker, called without the lock. Its panic is nobody's here.
            let _panicked = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
    }

    /// As `reach`, in a forked child: those who wait are its parent's, and so may be the lock.
    pub(crate) fn reach_unheard(&self) {
        self.reached.store(true, Ordering::Release);
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.reached.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait(&self, limit: Option<Instant>) {
        let mut waiting = self.lock();
        while !self.is_reached() {
            let left = limit.map(|limit| limit.saturating_duration_since(Instant::now()));
            if left == Some(Duration::ZERO) {
                return;
            }
            let left = left.unwrap_or(Duration::MAX);
            let waited = self.changed.wait_timeout(waiting, left);
            waiting = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Has `waker` woken at the end, in the place of the one with this number. None when the end
    /// is here.
    fn listen(&self, number: Option<u64>, waker: &Waker) -> Option<u64> {
        // Cloned, and the old one dropped, without the lock: wakers are somebody else's code.
        let waker = waker.clone();
        let mut waiting = self.lock();
        if self.is_reached() {
            return None;
        }
        let number = number.unwrap_or(waiting.next);
        waiting.next = waiting.next.max(number + 1);
        let old = waiting.wakers.iter().position(|(other, _)| *other == number);
        let old = old.map(|at| waiting.wakers.swap_remove(at));
        waiting.wakers.push((number, waker));
        drop(waiting);
        drop(old);
        Some(number)
    }

    fn forget(&self, number: u64) {
        let mut waiting = self.lock();
        let at = waiting.wakers.iter().position(|(other, _)| *other == number);
        let gone = at.map(|at| waiting.wakers.swap_remove(at));
        drop(waiting);
        drop(gone);
    }
}

/// The end of a reactor: a future, and on any thread a wait.
///
/// From [`Remote::stopped`](crate::Remote::stopped). It may be made when the end is long past. In a
/// forked child, where the reactor does not run, neither waits.
///
/// # Cancel safety
///
/// Dropping it ends the waiting, and nothing else.
pub struct Stopped {
    shared: Arc<Shared>,
    number: Option<u64>,
}

impl Stopped {
    pub(crate) fn new(shared: Arc<Shared>) -> Stopped {
        Stopped { shared, number: None }
    }

    /// Blocks until the reactor has stopped, at most for `timeout`. True when it has.
    ///
    /// On the host thread this blocks the host loop, and so the shutdown itself: there it returns
    /// at once, and in a forked child too.
    pub fn wait(self, timeout: Duration) -> bool {
        if !self.shared.is_host() && self.shared.process.is_current() {
            self.shared.end.wait(Instant::now().checked_add(timeout));
        }
        self.shared.is_over()
    }
}

impl Future for Stopped {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.shared.is_over() || !self.shared.process.is_current() {
            return Poll::Ready(());
        }
        self.number = self.shared.end.listen(self.number, cx.waker());
        if self.number.is_some() { Poll::Pending } else { Poll::Ready(()) }
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        // The lock of a forked child may have been held by a thread that it has not got.
        if let Some(number) = self.number.filter(|_| self.shared.process.is_current()) {
            self.shared.end.forget(number);
        }
    }
}

impl fmt::Debug for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stopped").field(&self.shared.is_over()).finish()
    }
}
