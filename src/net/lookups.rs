//! How many look-ups may be on the thread pool at a time, in the whole process.
//!
//! A look-up of the system blocks its thread for as long as a name server likes: a thousand of them
//! must not take a thousand threads, nor all those of the pool.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

/// How many threads of the pool look names up at a time.
const MOST: usize = 16;

static LOOKUPS: Mutex<Lookups> =
    Mutex::new(Lookups { running: 0, waiting: VecDeque::new(), next: 0 });

struct Lookups {
    running: usize,
    /// Those who wait for their turn, in order. One whose waker was taken has been called, and takes
    /// its place when it is polled.
    waiting: VecDeque<(u64, Option<Waker>)>,
    next: u64,
}

impl Lookups {
    /// How many of the first in line may go.
    fn free(&self) -> usize {
        MOST - self.running
    }

    /// Takes the wakers of those whose turn has come, to be woken without the lock.
    fn call(&mut self) -> Vec<Waker> {
        let free = self.free();
        self.waiting.iter_mut().take(free).filter_map(|(_, waker)| waker.take()).collect()
    }
}

fn lock() -> MutexGuard<'static, Lookups> {
    LOOKUPS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One look-up on the pool, until it is dropped, on whatever thread.
pub(super) struct Permit(());

impl Drop for Permit {
    fn drop(&mut self) {
        let called = {
            let mut lookups = lock();
            lookups.running -= 1;
            lookups.call()
        };
        called.into_iter().for_each(Waker::wake);
    }
}

/// Waits until one more may run.
pub(super) fn permit() -> impl Future<Output = Permit> {
    let mut place = Place(None);
    poll_fn(move |cx| {
        // Cloned before the lock, and the old one dropped after it.
        let waker = cx.waker().clone();
        let (permit, _old) = place.poll(waker);
        permit
    })
}

/// A place in the line, by its number.
struct Place(Option<u64>);

impl Place {
    fn poll(&mut self, waker: Waker) -> (Poll<Permit>, Option<Waker>) {
        let mut lookups = lock();
        let number = *self.0.get_or_insert_with(|| {
            let number = lookups.next;
            lookups.next += 1;
            lookups.waiting.push_back((number, None));
            number
        });
        let at = lookups.waiting.iter().position(|(other, _)| *other == number);
        let at = at.expect("it stands in line until it is let go");
        if at < lookups.free() {
            lookups.waiting.remove(at);
            lookups.running += 1;
            self.0 = None;
            return (Poll::Ready(Permit(())), Some(waker));
        }
        (Poll::Pending, lookups.waiting[at].1.replace(waker))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(number) = self.0 else { return };
        let called = {
            let mut lookups = lock();
            lookups.waiting.retain(|(other, _)| *other != number);
            // Whoever stood behind has moved up.
            lookups.call()
        };
        called.into_iter().for_each(Waker::wake);
    }
}
