//! The line in front of the thread pool for look-ups, in the whole process.
//!
//! A look-up of the system blocks its thread for as long as a name server likes: a thousand of them
//! must not take a thousand threads, nor all those of the pool. So what waits in line is the work
//! itself, and a thread that ends one look-up takes the next: no place depends on anybody's polling.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::fork::Process;

/// How many threads of the pool look names up at a time.
const MOST: usize = 16;

static LINE: Mutex<Line> = Mutex::new(Line { threads: 0, waiting: VecDeque::new(), next: 0 });

struct Line {
    /// How many threads of the pool take from the line.
    threads: usize,
    waiting: VecDeque<(u64, Work)>,
    next: u64,
}

type Work = Box<dyn FnOnce() + Send>;

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does `work` on the pool, when its turn has come. Dropping the future takes it out of the line.
pub(super) fn in_line<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    let answer = Arc::new(Mutex::new(Answer { result: None, waker: None }));
    let put = Arc::clone(&answer);
    let place = Place::take(Box::new(move || {
        let result = work();
        let waker = {
            let mut answer = lock(&put);
            answer.result = Some(result);
            answer.waker.take()
        };
        waker.into_iter().for_each(Waker::wake);
    }));
    poll_fn(move |cx| {
        let _place = &place;
        poll(&answer, cx)
    })
}

struct Answer<T> {
    result: Option<T>,
    waker: Option<Waker>,
}

fn poll<T>(answer: &Mutex<Answer<T>>, cx: &mut Context<'_>) -> Poll<T> {
    // Wakers are user code: cloned before the lock, and dropped after it.
    let waker = cx.waker().clone();
    let mut answer = lock(answer);
    if let Some(result) = answer.result.take() {
        return Poll::Ready(result);
    }
    let old = answer.waker.replace(waker);
    drop(answer);
    drop(old);
    Poll::Pending
}

/// A place in the line, by its number.
struct Place {
    number: u64,
    process: Process,
}

impl Place {
    fn take(work: Work) -> Place {
        let mut line = lock(&LINE);
        let number = line.next;
        line.next += 1;
        line.waiting.push_back((number, work));
        let begins = line.threads < MOST;
        line.threads += usize::from(begins);
        drop(line);
        if begins {
            blocking::unblock(serve).detach();
        }
        Place { number, process: Process::current() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // In a forked child the line may be locked for ever, by a thread that is not there.
        if self.process.is_current() {
            let mut line = lock(&LINE);
            let at = line.waiting.iter().position(|(number, _)| *number == self.number);
            let work = at.and_then(|at| line.waiting.remove(at));
            drop(line);
            drop(work);
        }
    }
}

/// Does what stands in line, until nothing does.
fn serve() {
    loop {
        let next = {
            let mut line = lock(&LINE);
            let next = line.waiting.pop_front();
            line.threads -= usize::from(next.is_none());
            next
        };
        let Some((_, work)) = next else { return };
        // A waker that panics is not to take the thread, and its place, with it.
        let _panicked = catch_unwind(AssertUnwindSafe(work));
    }
}
