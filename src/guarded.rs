//! A future whose destructor may panic.
#![allow(unsafe_code)]

use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::core::Core;

/// The user's future inside a task. A panic of its destructor is kept for the end of a turn: where
/// a task is dropped, a panic would abort the process.
pub(crate) struct Guarded<F> {
    future: ManuallyDrop<F>,
    core: Rc<Core>,
}

impl<F> Guarded<F> {
    pub(crate) fn new(future: F, core: Rc<Core>) -> Guarded<F> {
        Guarded { future: ManuallyDrop::new(future), core }
    }
}

impl<F: Future> Future for Guarded<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        // SAFETY: the future is pinned when this is: nobody moves it out, and it is dropped in
        // place, by `drop` below.
        let future = unsafe { self.map_unchecked_mut(|guarded| &mut *guarded.future) };
        future.poll(cx)
    }
}

impl<F> Drop for Guarded<F> {
    fn drop(&mut self) {
        // SAFETY: nothing uses the future after this, which runs once.
        let drop = AssertUnwindSafe(|| unsafe { ManuallyDrop::drop(&mut self.future) });
        if let Err(panic) = catch_unwind(drop) {
            self.core.panics.borrow_mut().push_back(panic);
        }
    }
}
