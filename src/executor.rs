//! The executor: a queue of woken tasks on the host thread, and the list of all that live.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;

use interloop_backends::Key;

use crate::coop::unconstrained;
use crate::core::Core;
use crate::label::Label;
use crate::slots::Slots;
use crate::spawned::{self, Body, Place, Spawned};
use crate::task::Task;
use crate::woken::Owned;

/// A task, as the executor sees it.
type Any = Rc<Spawned<dyn Body>>;

pub(crate) struct Tasks {
    queue: RefCell<VecDeque<Any>>,
    /// Those that were woken while they were polled: they yield, and come in the next turn.
    later: RefCell<VecDeque<Any>>,
    /// The tasks whose future has not been dropped yet.
    living: RefCell<Slots<Any>>,
    /// How many polls it takes at most until whoever awaited the pool has heard of its result. A shutdown
    /// waits for that, or it would cancel the one that a budget has left in the queue.
    unheard: Cell<usize>,
    /// How many tasks are being dropped because the executor is closed, one inside the other.
    refusing: Cell<usize>,
    closed: Cell<bool>,
}

impl Tasks {
    pub(crate) fn new() -> Tasks {
        Tasks {
            queue: RefCell::new(VecDeque::new()),
            later: RefCell::new(VecDeque::new()),
            living: RefCell::new(Slots::new()),
            unheard: Cell::new(0),
            refusing: Cell::new(0),
            closed: Cell::new(false),
        }
    }

    /// True when no woken task waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.borrow().is_empty() && self.later.borrow().is_empty()
    }

    /// True when to ask for the next task would give none, and change nothing.
    pub(crate) fn is_quiet(&self) -> bool {
        self.unheard.get() == 0 && self.is_idle()
    }

    /// Queues a task that was woken on this thread. False where that changes nothing.
    #[inline]
    pub(crate) fn wake(&self, key: Key) -> bool {
        let living = self.living.borrow();
        let Some(task) = living.get(key) else { return false };
        if task.place.get() == Place::Waiting {
            task.place.set(Place::Queued);
            self.queue.borrow_mut().push_back(Rc::clone(task));
            return true;
        }
        if task.place.get() == Place::Entered {
            task.place.set(Place::EnteredAgain);
        }
        false
    }

    /// Queues a task that came through the inbox.
    pub(crate) fn arrive(&self, key: Key) {
        if let Some(task) = self.living.borrow().get(key) {
            task.woken.arrive();
        }
        self.wake(key);
    }

    /// How many live.
    pub(crate) fn count(&self) -> usize {
        self.living.borrow().len()
    }

    /// Lines up those that yielded, behind all others.
    pub(crate) fn promote(&self) {
        let mut later = self.later.borrow_mut();
        if !later.is_empty() {
            self.queue.borrow_mut().append(&mut later);
        }
    }

    #[inline]
    pub(crate) fn pop(&self) -> Option<Any> {
        let next = self.queue.borrow_mut().pop_front();
        if self.unheard.get() > 0 {
            self.unheard.set(if next.is_some() { self.unheard.get() - 1 } else { 0 });
        }
        next
    }

    /// The task that is being polled has the result of a closure, or its panic, and wakes who awaits it when
    /// it ends.
    #[cfg(feature = "unblock")]
    pub(crate) fn pool_answered(&self) {
        let before = self.queue.borrow().len() + self.later.borrow().len();
        self.unheard.set(before + 1);
    }

    /// True while somebody has not been polled for whom a closure of the pool has ended.
    pub(crate) fn is_unheard(&self) -> bool {
        self.unheard.get() > 0 && !self.is_idle()
    }

    pub(crate) fn label(&self, key: Key) -> Option<Label> {
        self.living.borrow().get(key).map(|task| task.label.borrow().clone())
    }

    pub(crate) fn labels(&self) -> Vec<Label> {
        self.labels_but(&[])
    }

    /// The labels of all tasks but these.
    pub(crate) fn labels_but(&self, but: &[Key]) -> Vec<Label> {
        let living = self.living.borrow();
        let others = living.iter().filter(|(key, _)| !but.contains(key));
        others.map(|(_, task)| task.label.borrow().clone()).collect()
    }

    /// Leaves all tasks as they are, for ever: those of a parent in its fork.
    pub(crate) fn abandon(&self) {
        std::mem::forget(self.living.replace(Slots::new()));
    }
}

impl Core {
    pub(crate) fn spawn<F>(self: &Rc<Core>, future: F, label: Label) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let key = self.tasks.living.borrow().next_key();
        let woken = Owned::new(key, Arc::clone(&self.shared));
        let (task, handle) = spawned::new(unconstrained(future), woken, label);
        if self.tasks.closed.get() {
            self.refuse_task(&task);
        } else {
            self.tasks.living.borrow_mut().insert(task);
            self.wake_task(key);
        }
        Task::new(Rc::clone(self), handle)
    }

    /// Polls a task that was queued.
    #[inline]
    pub(crate) fn poll_task(&self, task: &Any) {
        // One whose destructor is on the stack, and has opened a host loop, may still stand in line.
        if task.is_over() || task.is_entered() {
            return;
        }
        if task.cancelled.get() {
            return self.drop_task(task);
        }
        task.place.set(Place::Entered);
        if let Poll::Ready(panic) = task.poll() {
            panic.into_iter().for_each(|panic| self.keep_panic(panic));
            return self.end_task(task);
        }
        if task.cancelled.get() || self.tasks.closed.get() {
            return self.drop_task(task);
        }
        if task.place.replace(Place::Waiting) == Place::EnteredAgain {
            task.place.set(Place::Queued);
            self.tasks.later.borrow_mut().push_back(Rc::clone(task));
        }
    }

    /// Drops the future of a task.
    fn drop_task(&self, task: &Any) {
        task.cancelled.set(true);
        // What its destructor wakes is not queued again.
        task.place.set(Place::Entered);
        self.end_task(task);
    }

    /// The future has ended, or is to be dropped: an output that nobody will ask for goes as well.
    fn end_task(&self, task: &Any) {
        if task.detached.get() {
            task.take_panic().into_iter().for_each(|panic| self.keep_panic(panic));
        }
        if task.detached.get() || task.cancelled.get() {
            task.clear().into_iter().for_each(|panic| self.keep_panic(panic));
        }
        task.place.set(Place::Over);
        task.woken.silence();
        let living = self.tasks.living.borrow_mut().remove(task.key);
        drop(living);
        if let Some(awaiter) = task.awaiter.take() {
            self.wake_user(awaiter);
        }
    }

    fn keep_panic(&self, panic: spawned::Panic) {
        self.panics.borrow_mut().push_back(panic);
    }

    /// Drops a task that came too late. One whose destructor spawns the next, whose destructor does
    /// too, would never come to an end: the last of them is leaked.
    fn refuse_task(&self, task: &Any) {
        const MOST: usize = 16;
        let depth = self.tasks.refusing.get();
        if depth == MOST {
            task.place.set(Place::Over);
            return std::mem::forget(Rc::clone(task));
        }
        self.tasks.refusing.set(depth + 1);
        self.drop_task(task);
        self.tasks.refusing.set(depth);
    }

    /// Drops the futures of all tasks that live, except of those that are being polled or dropped.
    pub(crate) fn cancel_tasks(&self) {
        let living = self.tasks.living.borrow();
        let doomed: Vec<Any> = living.iter().map(|(_, task)| Rc::clone(task)).collect();
        drop(living);
        self.end_each(doomed, |task| {
            // Their destructors are user code, which may have opened a host loop that polls the next.
            if !task.is_entered() && !task.is_over() {
                self.drop_task(&task);
            }
        });
        self.tasks.queue.borrow_mut().retain(|task| !task.is_over());
        self.tasks.later.borrow_mut().retain(|task| !task.is_over());
    }

    /// Cancels all tasks and takes no more. One that is being polled is dropped when its poll ends.
    pub(crate) fn close_tasks(&self) {
        self.cancel_tasks();
        self.tasks.closed.set(true);
        self.cancel_tasks();
    }
}
