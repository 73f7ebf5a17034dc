//! The line in front of the thread pool for look-ups, in the whole process.
//!
//! A look-up of the system blocks its thread for as long as a name server likes: a thousand of them
//! must not take a thousand threads, nor all those of the pool. So what waits in line is the work
//! itself, and a thread that ends one look-up takes the next: no place depends on anybody's polling.
#![allow(unsafe_code)]

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::fork::Process;
use crate::pool::{Outcome, run};

/// How many threads of the pool look names up at a time.
const MOST: usize = 16;

/// The line of a process. A forked child makes its own: its parent's counts threads that the child has not got,
/// and may be locked for ever by one of them.
struct Line {
    process: Process,
    places: Mutex<Places>,
}

struct Places {
    /// How many threads of the pool take from the line.
    threads: usize,
    waiting: VecDeque<(u64, Work)>,
    next: u64,
}

/// Called with the error when there is no thread for it.
type Work = Box<dyn FnOnce(io::Result<()>) + Send>;

impl Line {
    /// The line of this process.
    fn own() -> &'static Line {
        /// The line that was made last, which is never freed; null at first. Whoever finds none of this process
        /// makes one: release publishes it, acquire receives it.
        static LAST: AtomicPtr<Line> = AtomicPtr::new(ptr::null_mut());
        let process = Process::current();
        let mut last = LAST.load(Ordering::Acquire);
        loop {
            // SAFETY: null, or it came from `Box::into_raw` below and is never freed.
            if let Some(line) = unsafe { last.as_ref() }.filter(|line| line.process == process) {
                return line;
            }
            let places = Places { threads: 0, waiting: VecDeque::new(), next: 0 };
            let made = Box::into_raw(Box::new(Line { process, places: Mutex::new(places) }));
            match LAST.compare_exchange(last, made, Ordering::AcqRel, Ordering::Acquire) {
                Ok(_) => last = made,
                Err(faster) => {
                    // SAFETY: it was made above, and nobody else has seen it.
                    drop(unsafe { Box::from_raw(made) });
                    last = faster;
                }
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what stands in line, until nothing does.
    fn serve(&self) {
        loop {
            let next = {
                let mut places = self.lock();
                let next = places.waiting.pop_front();
                places.threads -= usize::from(next.is_none());
                next
            };
            let Some((_, work)) = next else { return };
            do_work(work, Ok(()));
        }
    }

    /// A thread could not be started. Those that run see to the line; where there is none, nobody would.
    fn refused(&self, error: &io::Error) {
        let given_up = {
            let mut places = self.lock();
            places.threads -= 1;
            if places.threads == 0 { mem::take(&mut places.waiting) } else { VecDeque::new() }
        };
        for (_, work) in given_up {
            do_work(work, Err(io::Error::new(error.kind(), error.to_string())));
        }
    }
}

/// A waker that panics is not to take the thread, and its place, with it.
fn do_work(work: Work, thread: io::Result<()>) {
    let _panicked = catch_unwind(AssertUnwindSafe(move || work(thread)));
}

/// Does `work` on the pool, when its turn has come. Dropping the future takes it out of the line.
pub(super) fn in_line<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> impl Future<Output = io::Result<T>> {
    let outcome = Arc::new(Outcome::new());
    let put = Arc::clone(&outcome);
    let place = Place::take(Box::new(move |thread| put.put(thread.and_then(|()| work()))));
    async move {
        let _place = place;
        outcome.take().await
    }
}

/// A place in the line, by its number.
struct Place {
    line: &'static Line,
    number: u64,
}

impl Place {
    fn take(work: Work) -> Place {
        let line = Line::own();
        let mut places = line.lock();
        let number = places.next;
        places.next += 1;
        places.waiting.push_back((number, work));
        let begins = places.threads < MOST;
        places.threads += usize::from(begins);
        drop(places);
        if begins {
            if let Err(error) = run(|| line.serve()) {
                line.refused(&error);
            }
        }
        Place { line, number }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // In a forked child the line may be locked for ever, by a thread that is not there.
        if self.line.process.is_current() {
            let mut places = self.line.lock();
            let at = places.waiting.iter().position(|(number, _)| *number == self.number);
            let work = at.and_then(|at| places.waiting.remove(at));
            drop(places);
            drop(work);
        }
    }
}
