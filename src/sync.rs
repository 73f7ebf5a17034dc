//! What the ordering files stand on: std and crossbeam or, under the model checker, loom.

#[cfg(not(interloop_loom))]
pub(crate) use crossbeam_queue::SegQueue as Queue;
#[cfg(not(interloop_loom))]
pub(crate) use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
#[cfg(not(interloop_loom))]
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};

#[cfg(interloop_loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
#[cfg(interloop_loom)]
pub(crate) use loom::sync::{Condvar, Mutex, MutexGuard};
#[cfg(interloop_loom)]
pub(crate) use model::Queue;

/// Locks, whatever happened to a thread that held the lock: nothing here runs user code under a
/// lock, so that no state is left half changed.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

#[cfg(interloop_loom)]
mod model {
    use loom::cell::UnsafeCell;
    use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    /// The weakest that a lock-free queue may be: an item is published by its own release and
    /// nothing else, and one that finds nothing has synchronised with nobody. As in crossbeam's
    /// queues, a pop that meets an item which is still being written waits for it, so that no
    /// finished push is overlooked. What a model proves over it holds for any better queue.
    pub(crate) struct Queue<T> {
        next: AtomicUsize,
        taken: AtomicUsize,
        slots: Vec<Slot<T>>,
    }

    struct Slot<T> {
        written: AtomicBool,
        item: UnsafeCell<Option<T>>,
    }

    // SAFETY: a slot is written once, by the thread that drew its number, and read once, after
    // `written` was acquired, by the thread that advanced `taken` past it.
    #[allow(unsafe_code)]
    unsafe impl<T: Send> Sync for Queue<T> {}

    impl<T> Queue<T> {
        pub(crate) fn new() -> Queue<T> {
            let slot = |_| Slot { written: AtomicBool::new(false), item: UnsafeCell::new(None) };
            Queue {
                next: AtomicUsize::new(0),
                taken: AtomicUsize::new(0),
                slots: (0..6).map(slot).collect(),
            }
        }

        #[allow(unsafe_code)]
        pub(crate) fn push(&self, item: T) {
            let slot = &self.slots[self.next.fetch_add(1, Ordering::Relaxed)];
            // SAFETY: this thread drew the slot's number, and `written` is still false.
            slot.item.with_mut(|place| unsafe { *place = Some(item) });
            slot.written.store(true, Ordering::Release);
        }

        #[allow(unsafe_code)]
        pub(crate) fn pop(&self) -> Option<T> {
            loop {
                let at = self.taken.load(Ordering::Relaxed);
                let slot = self.slots.get(at)?;
                if at == self.next.load(Ordering::Relaxed) {
                    return None;
                }
                while !slot.written.load(Ordering::Acquire) {
                    loom::thread::yield_now();
                }
                let claim =
                    self.taken.compare_exchange(at, at + 1, Ordering::Relaxed, Ordering::Relaxed);
                if claim.is_ok() {
                    // SAFETY: `written` was acquired, and only one thread advances past this slot.
                    return slot.item.with_mut(|place| unsafe { (*place).take() });
                }
            }
        }

        pub(crate) fn is_empty(&self) -> bool {
            self.taken.load(Ordering::Relaxed) == self.next.load(Ordering::Relaxed)
        }
    }
}
