//! A spawned task, as the user holds it.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use interloop_backends::Key;

use crate::core::Core;
use crate::label::Label;

/// What a task panicked with. None where the reactor has taken it.
pub(crate) struct Panic(pub(crate) Option<Box<dyn Any + Send>>);

type Inner<T> = async_task::FallibleTask<Result<T, Panic>, Key>;

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
    key: Key,
    inner: Inner<T>,
}

impl<T> Task<T> {
    pub(crate) fn new(
        core: Rc<Core>,
        key: Key,
        task: async_task::Task<Result<T, Panic>, Key>,
    ) -> Task<T> {
        Task { core, key, inner: task.fallible() }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Lets the task go: it runs without anybody holding it.
    pub fn detach(self) {
        self.core.tasks.detach(self.key);
        self.inner.detach();
    }

    /// Cancels the task and waits until its future is dropped. Gives the output of one that had
    /// ended before.
    ///
    /// # Cancel safety
    ///
    /// The task is cancelled as soon as this is polled; dropping the future only stops the waiting.
    pub async fn cancel(self) -> Option<T> {
        let output = self.inner.cancel().await?;
        Some(unwrap(output))
    }

    /// True when the future has ended or was cancelled.
    pub fn is_finished(&self) -> bool {
        self.inner.is_finished()
    }

    /// Names the task, for reports and dumps.
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Task<T> {
        self.core.tasks.set_label(self.key, Label::named(label));
        self
    }
}

impl<T> Future for Task<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        match ready!(Pin::new(&mut self.inner).poll(cx)) {
            Some(output) => Poll::Ready(unwrap(output)),
            None => panic!("the task was cancelled: its reactor has stopped"),
        }
    }
}

fn unwrap<T>(output: Result<T, Panic>) -> T {
    match output {
        Ok(output) => output,
        Err(Panic(Some(panic))) => std::panic::resume_unwind(panic),
        Err(Panic(None)) => panic!("the task panicked, and the reactor has taken the panic"),
    }
}

impl<T> fmt::Debug for Task<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("finished", &self.is_finished()).finish()
    }
}
