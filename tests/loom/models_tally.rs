//! The count of a waker's copies: the owner's thread without atomics, the others beside it.

#![allow(unsafe_code)]

use std::sync::Arc;

use loom::cell::UnsafeCell;
use loom::sync::atomic::{AtomicUsize, Ordering};
use loom::thread;

use crate::tally::Tally;

/// What is counted, and what its last holder does to it.
struct Counted {
    tally: Tally,
    /// Read by every holder, and written by the last, as memory is when it is freed.
    content: UnsafeCell<u32>,
    freed: AtomicUsize,
}

// SAFETY: what the model is to show: whoever writes the content is alone with it. Loom sees it if not.
unsafe impl Sync for Counted {}

impl Counted {
    fn read(&self) {
        // SAFETY: as above.
        self.content.with(|content| assert_eq!(unsafe { *content }, 0));
    }

    fn end(&self, last: bool) {
        if last {
            // SAFETY: as above.
            self.content.with_mut(|content| unsafe { *content = 1 });
            self.freed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn copy(&self, home: bool) {
        // SAFETY: the caller says whether this is the owner's thread.
        unsafe { self.tally.add(home) };
    }

    fn give_up(&self, home: bool) {
        self.read();
        // SAFETY: as above.
        let last = unsafe { self.tally.remove(home) };
        self.end(last);
    }
}

/// The owner copies for two others. One copies once more and drops both; the other hands its copy back, as a
/// waker that is taken out of a channel by its own task is; the owner drops that one, before or after it has gone
/// itself. Exactly one holder is the last, and by then the others are done with what they held.
#[test]
fn tally_has_one_last_holder() {
    for late in [false, true] {
        loom::model(move || {
            let counted = Arc::new(Counted {
                tally: Tally::new(),
                content: UnsafeCell::new(0),
                freed: AtomicUsize::new(0),
            });
            counted.copy(true);
            counted.copy(true);
            let (one, other) = (Arc::clone(&counted), Arc::clone(&counted));
            let one = thread::spawn(move || {
                one.copy(false);
                one.give_up(false);
                one.give_up(false);
            });
            let other = thread::spawn(move || {
                other.copy(false);
                other.give_up(false);
            });
            let settle = || {
                counted.read();
                // SAFETY: once, and this is the owner's thread.
                let last = unsafe { counted.tally.settle() };
                counted.end(last);
            };
            if !late {
                settle();
            }
            other.join().unwrap();
            counted.give_up(true);
            if late {
                settle();
            }
            one.join().unwrap();
            assert_eq!(counted.freed.load(Ordering::Relaxed), 1);
        });
    }
}
