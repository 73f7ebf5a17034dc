//! A spawned task, as the user holds it.

use std::borrow::Cow;
use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use interloop_backends::Key;

use crate::core::Core;
use crate::label::Label;
use crate::spawned::{Output, Panic, Spawned};

/// A task on the host thread, from [`Handle::spawn_local`](crate::Handle::spawn_local).
///
/// Awaiting it gives the future's output. A panic of the future goes to the one who awaits it;
/// that of a detached task comes out of the turn that polled it, once everything else in that turn
/// has run. Dropping the task cancels it, and its future is dropped on the host thread;
/// [`detach`](Task::detach) lets it go.
///
/// # Cancel safety
///
/// Awaiting `&mut task` may be given up and taken up again. Dropping the task itself cancels it.
///
/// # Panics
///
/// Awaiting a task panics when the reactor has cancelled it, at its shutdown;
/// [`cancel`](Task::cancel) gives an `Option` instead.
#[must_use = "dropping a task cancels it; `detach` lets it go"]
pub struct Task<T> {
    core: Rc<Core>,
    spawned: Rc<Spawned<dyn Output<T>>>,
}

impl<T> Task<T> {
    pub(crate) fn new(core: Rc<Core>, spawned: Rc<Spawned<dyn Output<T>>>) -> Task<T> {
        Task { core, spawned }
    }

    pub(crate) fn key(&self) -> Key {
        self.spawned.key
    }

    /// Lets the task go: it runs without anybody holding it.
    pub fn detach(self) {
        // An output that is there goes with the handle, here.
        if !self.spawned.is_over() {
            self.spawned.detached.set(true);
        }
    }

    /// Cancels the task and waits until its future is dropped. Gives the output of one that had
    /// ended before.
    ///
    /// # Cancel safety
    ///
    /// The task is cancelled as soon as this is polled; dropping the future only stops the waiting.
    pub async fn cancel(self) -> Option<T> {
        self.begin_cancel();
        let output = poll_fn(|cx| self.poll_output(cx)).await?;
        Some(unwrap(output))
    }

    /// Has the executor drop the future, in its own time: whoever cancels may hold what the future's
    /// destructor asks for.
    fn begin_cancel(&self) {
        if !self.spawned.is_over() && !self.spawned.cancelled.replace(true) {
            self.core.wake_task(self.spawned.key);
        }
    }

    /// The output, or None when the task was cancelled, once it is over.
    fn poll_output(&self, cx: &mut Context<'_>) -> Poll<Option<Result<T, Panic>>> {
        if self.spawned.is_over() {
            return Poll::Ready(self.spawned.take());
        }
        let awaiter = self.spawned.awaiter.take();
        let awaiter = awaiter.filter(|known| known.will_wake(cx.waker()));
        self.spawned.awaiter.set(Some(awaiter.unwrap_or_else(|| cx.waker().clone())));
        // To clone and to drop a waker is user code, in which the task may have ended.
        if self.spawned.is_over() {
            return Poll::Ready(self.spawned.take());
        }
        Poll::Pending
    }

    /// True when the future has ended or was cancelled.
    pub fn is_finished(&self) -> bool {
        self.spawned.is_over() || self.spawned.cancelled.get()
    }

    /// Names the task, for reports and dumps.
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Task<T> {
        self.spawned.label.replace(Label::named(label));
        self
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match ready!(self.poll_output(cx)) {
            Some(output) => Poll::Ready(unwrap(output)),
            None => panic!("the task was cancelled: its reactor has stopped"),
        }
    }
}

impl<T> Drop for Task<T> {
    fn drop(&mut self) {
        if self.spawned.detached.get() {
            return;
        }
        self.begin_cancel();
        drop(self.spawned.is_over().then(|| self.spawned.take()));
    }
}

fn unwrap<T>(output: Result<T, Panic>) -> T {
    output.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("finished", &self.is_finished()).finish()
    }
}
