//! The waker of a task, for any thread.
//!
//! It is what `std::task::Wake` would make of an `Arc`, but for the count, which costs the host thread no
//! atomic: a task that waits copies its waker each time, and whoever wakes it drops the copy.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::task::{RawWaker, RawWakerVTable, Waker};

use interloop_backends::Key;

use crate::inbox::Underway;
use crate::local;
use crate::shared::Shared;
use crate::tally::Tally;

/// What a waker points to.
pub(crate) struct Woken {
    key: Key,
    shared: Arc<Shared>,
    underway: Underway,
    tally: Tally,
}

impl Woken {
    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// The host thread: has the key from the inbox, and polls the task after this.
    pub(crate) fn arrive(&self) {
        self.underway.end();
    }

    /// The host thread: the task is over, and its waker a waker of nothing.
    pub(crate) fn silence(&self) {
        self.underway.silence();
    }

    fn wake(&self) {
        let shared = &self.shared;
        if shared.is_host() {
            let core = local::find_turning(shared.id).or_else(|| local::find(shared.id));
            match core {
                Some(core) => return core.wake_task(self.key),
                // The thread ends, and has forgotten whose reactors it had.
                None if local::has_ended() => {}
                None => return,
            }
        }
        if shared.inbox.push_task(self.key, &self.underway) {
            shared.wake();
        }
    }
}

/// The task that a waker wakes, where it is one of this thread's reactor. None for the waker of anything else.
#[inline]
pub(crate) fn task_of(waker: &Waker, shared: &Arc<Shared>) -> Option<Key> {
    if !ptr::eq(waker.vtable(), &TABLE) {
        return None;
    }
    // SAFETY: this table goes with a pointer to a `Woken` and no other, and the waker holds it.
    let woken = unsafe { &*waker.data().cast::<Woken>() };
    Arc::ptr_eq(&woken.shared, shared).then_some(woken.key)
}

/// The task's own hold on its waker, on the host thread: not `Send`, as the pointer is not.
pub(crate) struct Owned(NonNull<Woken>);

impl Owned {
    /// For a task of this thread, which is the reactor's host thread.
    pub(crate) fn new(key: Key, shared: Arc<Shared>) -> Owned {
        debug_assert!(shared.is_host());
        let woken = Woken { key, shared, underway: Underway::new(), tally: Tally::new() };
        Owned(NonNull::from(Box::leak(Box::new(woken))))
    }

    /// Lends the waker.
    pub(crate) fn lend<R>(&self, to: impl FnOnce(&Waker) -> R) -> R {
        // SAFETY: the functions of the table keep the contract of `RawWaker` for a pointer that is counted.
        // This one is not, and is never dropped; `self` keeps what it points to for as long as it is lent.
        let waker = unsafe { Waker::new(self.0.as_ptr().cast_const().cast(), &TABLE) };
        to(&ManuallyDrop::new(waker))
    }
}

impl Deref for Owned {
    type Target = Woken;

    fn deref(&self) -> &Woken {
        // SAFETY: it is freed by the last holder, after this one has gone.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        let woken = self.0.as_ptr();
        // SAFETY: this is the owner, on the thread that it was made on, and goes once. If no waker is left
        // nobody else has the pointer, which came from a box.
        unsafe {
            if (*woken).tally.settle() {
                drop(Box::from_raw(woken));
            }
        }
    }
}

static TABLE: RawWakerVTable = RawWakerVTable::new(copy, wake, wake_by_ref, drop_copy);

/// # Safety
///
/// `woken` is of a waker that is not dropped meanwhile.
unsafe fn copy(woken: *const ()) -> RawWaker {
    let pointer = woken.cast::<Woken>();
    // SAFETY: the waker holds it, and the owner's thread is the host thread: `Owned::new` was called there.
    unsafe { (*pointer).tally.add((*pointer).shared.is_host()) };
    RawWaker::new(woken, &TABLE)
}

/// # Safety
///
/// `woken` is of a waker that is used up by this.
unsafe fn wake(woken: *const ()) {
    /// Dropped when the wake is over, with a panic too.
    struct Held(*const ());
    impl Drop for Held {
        fn drop(&mut self) {
            // SAFETY: as for `wake`.
            unsafe { drop_copy(self.0) };
        }
    }
    let held = Held(woken);
    // SAFETY: it is held.
    unsafe { wake_by_ref(held.0) };
}

/// # Safety
///
/// `woken` is of a waker that is not dropped meanwhile.
unsafe fn wake_by_ref(woken: *const ()) {
    // SAFETY: the waker holds it.
    unsafe { (*woken.cast::<Woken>()).wake() };
}

/// # Safety
///
/// `woken` is of a waker that is used up by this.
unsafe fn drop_copy(woken: *const ()) {
    let woken = woken.cast::<Woken>().cast_mut();
    // SAFETY: until `remove`, the waker holds it, and the owner's thread is the host thread. After it, somebody
    // else may free it, unless this was the last: then nobody else has the pointer, which came from a box.
    unsafe {
        if (*woken).tally.remove((*woken).shared.is_host()) {
            drop(Box::from_raw(woken));
        }
    }
}
