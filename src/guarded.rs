//! The future of a task: the user's, whose polls and whose destructor may panic.
#![allow(unsafe_code)]

use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::executor::Living;
use crate::task::Panic;

/// The user's future inside a task. A panic of a poll is its output, for the one who awaits it, or is
/// kept for the end of a turn when nobody does. So is one of its destructor: where a task is dropped, a
/// panic would abort the process.
pub(crate) struct Guarded<F> {
    future: ManuallyDrop<F>,
    /// Dropped last: while the future's own destructor runs, the task still lives.
    living: Living,
}

impl<F> Guarded<F> {
    pub(crate) fn new(future: F, living: Living) -> Guarded<F> {
        Guarded { future: ManuallyDrop::new(future), living }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = Result<F::Output, Panic>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        // SAFETY: the future is pinned when this is: nobody moves it out, and it is dropped in
        // place, by `drop` below. The other field is not pinned.
        let Guarded { future, living } = unsafe { self.get_unchecked_mut() };
        // SAFETY: as above.
        let future = unsafe { Pin::new_unchecked(&mut **future) };
        match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
            Err(panic) => Poll::Ready(Err(living.give(panic))),
        }
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        // SAFETY: nothing uses the future after this, which runs once.
        let drop = AssertUnwindSafe(|| unsafe { ManuallyDrop::drop(&mut self.future) });
        if let Err(panic) = catch_unwind(drop) {
            self.living.keep(panic);
        }
    }
}
