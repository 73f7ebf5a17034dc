//! How a source comes and goes.

use std::collections::VecDeque;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop_backends::{Interest, Key, Release};

use super::Ready;
use super::entry::{Entry, Mark};
use super::object::{Object, Watched};
use crate::core::Core;
use crate::label::Label;
use crate::worker;

/// The user's hold on a source: dropping it removes the source, unless it was let go.
pub(crate) struct Registration {
    pub(crate) core: Rc<Core>,
    pub(crate) key: Key,
}

/// What a handle is made of: the user's hold on a source, and its object.
pub(crate) type Registered<T, H> = (Registration, Rc<Object<T, H>>);

impl Registration {
    /// Leaves the source registered without anybody holding it.
    pub(crate) fn detach(self) {
        self.core.sources.with(self.key, |entry| entry.set(Mark::Detached, true));
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        let detached = self.core.sources.with(self.key, |entry| entry.is(Mark::Detached));
        if detached == Some(false) {
            self.core.remove_source(self.key);
        }
    }
}

impl Core {
    /// Registers an object, its callback armed for `interest`.
    pub(crate) fn add_source(
        self: &Rc<Core>,
        object: Rc<dyn Watched>,
        interest: Interest,
        label: Label,
    ) -> io::Result<Registration> {
        let mut entry = Entry::new(object, interest, label);
        (entry.held, entry.mode) = (entry.wanted(), self.mode(&entry));
        // What tells the descriptor is user code, which may register the next: only then comes the key.
        let source = entry.object.source();
        let key = self.sources.table.borrow().next_key();
        self.shared.poller.add(source, key, entry.held, entry.mode)?;
        self.sources.table.borrow_mut().insert(entry);
        self.backend_changed();
        self.settle();
        Ok(Registration { core: Rc::clone(self), key })
    }

    /// Takes a source out. Its object is closed as soon as the backend has let go of it.
    pub(crate) fn remove_source(self: &Rc<Core>, key: Key) {
        let found = self.sources.with(key, |entry| Rc::clone(&entry.object));
        let Some(object) = found else { return };
        // A forked child must not touch the set that it shares with its parent.
        let release = if self.shared.process.is_current() {
            self.shared.poller.delete(object.source(), key)
        } else {
            Release::Now
        };
        // Without a worker nobody is waiting while this thread is here.
        let release = if self.is_worker_waiting() { release } else { Release::Now };
        let removed = match release {
            Release::Now => self.sources.table.borrow_mut().remove(key),
            Release::Later => {
                self.sources.with(key, |entry| entry.set(Mark::Limbo, true));
                None
            }
        };
        self.backend_changed();
        // Callback, object and waiters are user code: they go once the borrow has ended.
        let cached = object.cache().into_iter().flat_map(|cache| cache.close());
        let waiters = object.waiters().into_iter().flat_map(|waiters| waiters.close());
        waiters.chain(cached).for_each(|waker| self.wake_user(waker));
        // A destructor that panics leaves nothing untold.
        self.settle();
        object.drop_callback();
        drop((removed, object));
    }

    /// Removes all sources, and takes no more.
    pub(crate) fn close_sources(self: &Rc<Core>) {
        self.sources.closed.set(true);
        // What a callback captured is the user's, and may panic when it is dropped.
        self.end_each(self.sources.keys(), |key| self.remove_source(key));
        // There may be no turn that would come to these.
        let is_wake = |next: &Ready| matches!(next, Ready::Wake(_));
        let (wakes, mut others): (VecDeque<_>, VecDeque<_>) =
            self.ready.take().into_iter().partition(is_wake);
        self.end_each(wakes, |wake| {
            if let Ready::Wake(waker) = wake {
                waker.wake();
            }
        });
        // What has come meanwhile is behind.
        others.append(&mut self.ready.borrow_mut());
        self.ready.replace(others);
    }

    /// Closes the objects in limbo: the backend does not wait any more. The others are to hear of their end first,
    /// which comes when one of the last calls of a reactor has led here.
    pub(crate) fn empty_limbo(&self) {
        let doomed = self.sources.in_limbo();
        let shared = &self.shared;
        if !doomed.is_empty() && !shared.poller.applies_at_once() && shared.process.is_current() {
            // A worker that has ended before they were deleted has not told the backend, which may hold on to what they
            // have open. An error is no news here: it closes nothing.
            let _failed = worker::wait(&*shared.poller, &mut Vec::new(), Some(Duration::ZERO));
        }
        self.end_each(doomed, |key| drop(self.sources.release(key)));
    }
}
