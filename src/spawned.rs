//! A task as the executor holds it: the user's future and then its output, in one allocation, and where
//! it stands.
//!
//! All of this is the host thread's alone, so that a poll and a wake over there touch no atomic. What
//! foreign threads may hold of a task is its waker (`src/woken.rs`), which knows no more of it than its key.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use interloop_backends::Key;

use crate::label::Label;
use crate::woken::Owned;

/// What somebody's code panicked with.
pub(crate) type Panic = Box<dyn Any + Send>;

/// Where a task stands.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// It waits for a wake.
    Waiting,
    /// In the executor's queue.
    Queued,
    /// On the stack: it is being polled, or its future dropped.
    Entered,
    /// On the stack, and woken since: it yields.
    EnteredAgain,
    /// It has an output, or was cancelled and its future is dropped.
    Over,
}

/// A task. `B` is its [`Body`], as the executor sees it, or an [`Output`], as its handle does.
pub(crate) struct Spawned<B: ?Sized> {
    pub(crate) key: Key,
    pub(crate) place: Cell<Place>,
    /// Nobody awaits it.
    pub(crate) detached: Cell<bool>,
    /// Its handle is gone, or the reactor ends: it is not polled any more.
    pub(crate) cancelled: Cell<bool>,
    pub(crate) label: RefCell<Label>,
    /// Who awaits it.
    pub(crate) awaiter: Cell<Option<Waker>>,
    pub(crate) woken: Owned,
    body: B,
}

/// A future that is polled, whatever its type.
pub(crate) trait Body {
    /// Polls the future. When it has ended it is dropped, and its output kept. A panic of the poll is the
    /// output; what is ready is the panic of its destructor.
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Panic>>;
    /// Drops the future or the output, whatever is left, and gives what that panicked with.
    fn clear(&self) -> Option<Panic>;
    /// Takes the panic that is the output.
    fn take_panic(&self) -> Option<Panic>;
}

/// A future of a known output.
pub(crate) trait Output<T> {
    /// Takes the output, or the panic of the poll that was the last. None where there is none, or not any more.
    fn take(&self) -> Option<Result<T, Panic>>;
}

enum Stage<F: Future> {
    Future(F),
    Output(Result<F::Output, Panic>),
    Gone,
}

/// The body of every task. Borrowed while user code runs in it; nobody but the one who has entered the
/// task asks for it then, as everybody looks at the place first.
struct Staged<F: Future>(RefCell<Stage<F>>);

impl<F: Future> Body for Staged<F> {
    fn poll(&self, cx: &mut Context<'_>) -> Poll<Option<Panic>> {
        let mut stage = self.0.borrow_mut();
        let Stage::Future(future) = &mut *stage else { return Poll::Ready(None) };
        // SAFETY: a body is made inside of its `Rc`, by `new` below, and is the last, private field of what
        // that owns. Nothing in this file moves a future out of its stage; it is dropped in place, where
        // another stage is put over it.
        let future = unsafe { Pin::new_unchecked(future) };
        let output = match catch_unwind(AssertUnwindSafe(|| future.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(panic) => Err(panic),
        };
        let panic = put(&mut stage, Stage::Gone);
        *stage = Stage::Output(output);
        Poll::Ready(panic)
    }

    fn clear(&self) -> Option<Panic> {
        put(&mut self.0.borrow_mut(), Stage::Gone)
    }

    fn take_panic(&self) -> Option<Panic> {
        let mut stage = self.0.borrow_mut();
        if !matches!(*stage, Stage::Output(Err(_))) {
            return None;
        }
        match std::mem::replace(&mut *stage, Stage::Gone) {
            Stage::Output(Err(panic)) => Some(panic),
            _ => None,
        }
    }
}

/// Drops one stage in its place and puts the next there. Gives what that panicked with.
fn put<F: Future>(stage: &mut Stage<F>, next: Stage<F>) -> Option<Panic> {
    catch_unwind(AssertUnwindSafe(|| *stage = next)).err()
}

impl<F: Future> Output<F::Output> for Staged<F> {
    fn take(&self) -> Option<Result<F::Output, Panic>> {
        let mut stage = self.0.borrow_mut();
        if !matches!(*stage, Stage::Output(_)) {
            return None;
        }
        match std::mem::replace(&mut *stage, Stage::Gone) {
            Stage::Output(output) => Some(output),
            _ => None,
        }
    }
}

/// A task, for its executor and for its handle.
type Both<T> = (Rc<Spawned<dyn Body>>, Rc<Spawned<dyn Output<T>>>);

pub(crate) fn new<F>(future: F, woken: Owned, label: Label) -> Both<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let task = Rc::new(Spawned {
        key: woken.key(),
        place: Cell::new(Place::Waiting),
        detached: Cell::new(false),
        cancelled: Cell::new(false),
        label: RefCell::new(label),
        awaiter: Cell::new(None),
        woken,
        body: Staged(RefCell::new(Stage::Future(future))),
    });
    (Rc::clone(&task) as _, task as _)
}

impl<B: ?Sized> Spawned<B> {
    pub(crate) fn is_over(&self) -> bool {
        self.place.get() == Place::Over
    }

    /// True while a poll of it, or the destructor of its future, is on the stack.
    pub(crate) fn is_entered(&self) -> bool {
        matches!(self.place.get(), Place::Entered | Place::EnteredAgain)
    }
}

impl Spawned<dyn Body> {
    /// Polls the future, with the task's own waker.
    pub(crate) fn poll(&self) -> Poll<Option<Panic>> {
        self.woken.lend(|waker| self.body.poll(&mut Context::from_waker(waker)))
    }

    pub(crate) fn clear(&self) -> Option<Panic> {
        self.body.clear()
    }

    pub(crate) fn take_panic(&self) -> Option<Panic> {
        self.body.take_panic()
    }
}

impl<T> Spawned<dyn Output<T>> {
    /// The output, once the task is over: see [`Output::take`].
    pub(crate) fn take(&self) -> Option<Result<T, Panic>> {
        self.body.take()
    }
}
