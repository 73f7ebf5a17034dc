//! The executor: a queue of woken tasks on the host thread, and the list of all that live.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::Future;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;

use async_task::{Builder, Runnable};
use interloop_backends::Key;

use crate::coop::unconstrained;
use crate::core::Core;
use crate::guarded::Guarded;
use crate::label::Label;
use crate::slots::Slots;
use crate::task::{Panic, Task};

pub(crate) struct Tasks {
    queue: RefCell<VecDeque<Runnable<Key>>>,
    /// Those that were woken while they were polled: they yield, and come in the next turn.
    later: RefCell<VecDeque<Runnable<Key>>>,
    active: RefCell<Slots<Active>>,
    /// The tasks that are being polled or dropped, one inside the other.
    entered: RefCell<Vec<Key>>,
    /// How many polls it takes at most until whoever awaited the pool has heard of its result. A shutdown
    /// waits for that, or it would cancel the one that a budget has left in the queue.
    unheard: Cell<usize>,
    /// How many tasks are being dropped because the executor is closed, one inside the other.
    refusing: Cell<usize>,
    closed: Cell<bool>,
    /// The task that ended last, for the report of a slow poll that was its last one.
    ended: RefCell<Option<(Key, Label)>>,
}

/// A task whose future has not been dropped yet.
struct Active {
    waker: Waker,
    label: Label,
    /// Nobody awaits it.
    detached: bool,
}

impl Tasks {
    pub(crate) fn new() -> Tasks {
        Tasks {
            queue: RefCell::new(VecDeque::new()),
            later: RefCell::new(VecDeque::new()),
            active: RefCell::new(Slots::new()),
            entered: RefCell::new(Vec::new()),
            unheard: Cell::new(0),
            refusing: Cell::new(0),
            closed: Cell::new(false),
            ended: RefCell::new(None),
        }
    }

    /// True when no woken task waits.
    pub(crate) fn is_idle(&self) -> bool {
        self.queue.borrow().is_empty() && self.later.borrow().is_empty()
    }

    /// Queues a woken task. False when the executor is closed: the task was dropped.
    pub(crate) fn push(&self, task: Runnable<Key>) -> bool {
        if self.closed.get() {
            self.refuse(task);
            return false;
        }
        let yields = self.entered.borrow().last() == Some(task.metadata());
        let queue = if yields { &self.later } else { &self.queue };
        queue.borrow_mut().push_back(task);
        true
    }

    /// Lines up those that yielded, behind all others.
    pub(crate) fn promote(&self) {
        let mut later = self.later.borrow_mut();
        if !later.is_empty() {
            self.queue.borrow_mut().append(&mut later);
        }
    }

    pub(crate) fn pop(&self) -> Option<Runnable<Key>> {
        let next = self.queue.borrow_mut().pop_front();
        let left = if next.is_some() { self.unheard.get().saturating_sub(1) } else { 0 };
        self.unheard.set(left);
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

    pub(crate) fn poll(&self, task: Runnable<Key>) {
        let _entered = self.enter(&task);
        task.run();
    }

    /// Drops a task, and with it its future, unless a poll of it is on the stack.
    fn drop(&self, task: Runnable<Key>) {
        let _entered = self.enter(&task);
        drop(task);
    }

    /// Drops a task that came too late. One whose destructor spawns the next, whose destructor does
    /// too, would never come to an end: the last of them is leaked.
    fn refuse(&self, task: Runnable<Key>) {
        const MOST: usize = 16;
        let depth = self.refusing.get();
        if depth == MOST {
            return std::mem::forget(task);
        }
        self.refusing.set(depth + 1);
        self.drop(task);
        self.refusing.set(depth);
    }

    fn enter(&self, task: &Runnable<Key>) -> Entered<'_> {
        self.entered.borrow_mut().push(*task.metadata());
        Entered(self)
    }

    pub(crate) fn label(&self, key: Key) -> Option<Label> {
        self.active.borrow_mut().get_mut(key).map(|active| active.label.clone())
    }

    /// The label of a task that has just been polled.
    pub(crate) fn polled_label(&self, key: Key) -> Option<Label> {
        let ended = || self.ended.take().filter(|(other, _)| *other == key).map(|(_, label)| label);
        self.label(key).or_else(ended)
    }

    pub(crate) fn set_label(&self, key: Key, label: Label) {
        if let Some(active) = self.active.borrow_mut().get_mut(key) {
            active.label = label;
        }
    }

    /// Nobody awaits the task from here on.
    pub(crate) fn detach(&self, key: Key) {
        if let Some(active) = self.active.borrow_mut().get_mut(key) {
            active.detached = true;
        }
    }

    pub(crate) fn labels(&self) -> Vec<Label> {
        self.labels_but(&[])
    }

    /// The labels of all tasks but these.
    pub(crate) fn labels_but(&self, but: &[Key]) -> Vec<Label> {
        let active = self.active.borrow();
        let others = active.iter().filter(|(key, _)| !but.contains(key));
        others.map(|(_, active)| active.label.clone()).collect()
    }
}

/// A task on the stack.
struct Entered<'a>(&'a Tasks);

impl Drop for Entered<'_> {
    fn drop(&mut self) {
        self.0.entered.borrow_mut().pop();
    }
}

/// Takes a task off the list when its future is dropped, however that comes.
pub(crate) struct Living {
    core: Rc<Core>,
    key: Key,
}

impl Living {
    /// Gives the panic of a poll to the one who awaits the task, or to the end of a turn.
    pub(crate) fn give(&self, panic: Box<dyn Any + Send>) -> Panic {
        let detached = |active: &mut Active| active.detached;
        if self.core.tasks.active.borrow_mut().get_mut(self.key).is_some_and(detached) {
            self.keep(panic);
            return Panic(None);
        }
        Panic(Some(panic))
    }

    /// Keeps a panic for the end of a turn.
    pub(crate) fn keep(&self, panic: Box<dyn Any + Send>) {
        self.core.panics.borrow_mut().push_back(panic);
    }
}

impl Drop for Living {
    fn drop(&mut self) {
        let active = self.core.tasks.active.borrow_mut().remove(self.key);
        if let Some(Active { label, .. }) = active {
            self.core.tasks.ended.replace(Some((self.key, label)));
        }
    }
}

impl Core {
    pub(crate) fn spawn<F>(self: &Rc<Core>, future: F, label: Label) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let key = self.tasks.active.borrow().next_key();
        let living = Living { core: Rc::clone(self), key };
        let body = Guarded::new(unconstrained(future), living);
        let shared = Arc::clone(&self.shared);
        let schedule = move |task| shared.schedule(task);
        let (runnable, task) = Builder::new().metadata(key).spawn_local(move |_| body, schedule);
        let waker = runnable.waker();
        self.tasks.active.borrow_mut().insert(Active { waker, label, detached: false });
        runnable.schedule();
        Task::new(Rc::clone(self), key, task)
    }

    /// Drops the futures of all tasks that live, except of those that are being polled.
    ///
    /// A task that a foreign thread has woken may still be on its way into the inbox; it is waited
    /// for, as it must not be dropped over there.
    pub(crate) fn cancel_tasks(&self) {
        let mut doomed: Vec<(Key, Waker)> = {
            let active = self.tasks.active.borrow();
            active.iter().map(|(key, active)| (key, active.waker.clone())).collect()
        };
        // Waking schedules a task; dropping what is scheduled drops its future. Of a reactor that
        // is being dropped it does so on the spot.
        for (_, waker) in &doomed {
            self.call_user(|_| None, || waker.wake_by_ref());
        }
        loop {
            // What destructors spawn meanwhile is left for the next round.
            self.tasks.promote();
            let mut queued = self.tasks.queue.borrow().len();
            while let Some(task) = self.shared.inbox.pop_task() {
                self.tasks.queue.borrow_mut().push_back(task);
                queued += 1;
            }
            for _ in 0..queued {
                if let Some(task) = self.tasks.pop() {
                    // The destructors of the future are user code.
                    self.call_user(|_| None, || self.tasks.drop(task));
                }
            }
            let entered = self.tasks.entered.borrow();
            doomed.retain(|(key, _)| self.tasks.label(*key).is_some() && !entered.contains(key));
            drop(entered);
            if doomed.is_empty() {
                return;
            }
            std::thread::yield_now();
        }
    }

    /// Cancels all tasks and takes no more. One that is being polled is dropped when its poll ends.
    pub(crate) fn close_tasks(&self) {
        self.cancel_tasks();
        self.tasks.closed.set(true);
        self.cancel_tasks();
    }
}
