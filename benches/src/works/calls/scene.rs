//! The threads that call.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Barrier, mpsc};
use std::thread::{self, JoinHandle, Thread};
use std::time::{Duration, Instant};

use super::tally::{Tally, sleeps};
use crate::compare::Figure;

/// What is done to a host.
#[derive(Clone, Copy)]
pub(super) enum Scene {
    /// So many threads make so many calls in all, as fast as they can.
    Flood { threads: usize, calls: usize },
    /// One thread makes a call and sleeps until it has run, for so long.
    OneAtATime { time: Duration },
}

/// The way to a host from other threads.
pub(super) trait Caller: Clone + Send + 'static {
    fn call(&self, call: impl FnOnce() + Send + 'static);

    /// Counts on the host's thread.
    fn count(&self, tally: &'static Tally, one: usize) {
        self.call(move || tally.add(one));
    }
}

/// A call, where messages are sent.
pub(super) type Boxed = Box<dyn FnOnce() + Send>;

/// The threads at work, while the host's thread runs its loop.
pub(super) struct Calling(JoinHandle<io::Result<Vec<Figure>>>);

impl Calling {
    pub(super) fn figures(self) -> io::Result<Vec<Figure>> {
        self.0.join().map_err(|_| io::Error::other("the thread that calls has panicked"))?
    }
}

impl Scene {
    /// Starts the threads. When all is done, one of them has the host `quit`.
    pub(super) fn start(
        self,
        caller: impl Caller,
        quit: impl FnOnce() + Send + 'static,
    ) -> io::Result<Calling> {
        let work = move || {
            let figures = match self {
                Scene::Flood { threads, calls } => flood(&caller, threads, calls),
                Scene::OneAtATime { time } => one_at_a_time(&caller, time),
            };
            drop(caller);
            quit();
            figures
        };
        thread::Builder::new().name("caller".to_owned()).spawn(work).map(Calling)
    }
}

fn flood(caller: &impl Caller, threads: usize, calls: usize) -> io::Result<Vec<Figure>> {
    // The host's loop runs before it is measured, and the thread's memory is warm.
    let before = on_the_host(caller, sleeps)?;
    let tally = Tally::new(calls);
    let start = Arc::new(Barrier::new(threads + 1));
    let posting = |_| {
        let (caller, start) = (caller.clone(), Arc::clone(&start));
        thread::Builder::new().spawn(move || {
            start.wait();
            let began = Instant::now();
            for _ in 0..calls / threads {
                caller.count(tally, std::hint::black_box(1));
            }
            began
        })
    };
    let threads = (0..threads).map(posting).collect::<io::Result<Vec<_>>>()?;
    start.wait();
    let ended = tally.wait();
    let after = on_the_host(caller, sleeps)?;
    // This thread may have been late itself: the first call is what begins it.
    let mut began = ended;
    for thread in threads {
        let panicked = |_| io::Error::other("a thread that calls has panicked");
        began = began.min(thread.join().map_err(panicked)?);
    }
    let took = ended - began;
    let slept = (after - before) as f64;
    Ok(vec![
        Figure::new("per_call", "ns", took.as_nanos() as f64 / calls as f64),
        Figure::new("wakes_per_1000", "wakes", slept * 1000.0 / calls as f64),
    ])
}

/// Asks the host's thread something.
fn on_the_host<T: Send + 'static>(
    caller: &impl Caller,
    question: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let (answer, answered) = mpsc::channel();
    caller.call(move || drop(answer.send(question())));
    answered.recv().map_err(io::Error::other)?
}

fn one_at_a_time(caller: &impl Caller, time: Duration) -> io::Result<Vec<Figure>> {
    let came = Arc::new(Came { came: AtomicBool::new(false), waiting: thread::current() });
    for _ in 0..100 {
        there_and_back(caller, &came);
    }
    let end = Instant::now() + time;
    let mut times = Vec::with_capacity(100_000);
    while times.len() < 10 || Instant::now() < end {
        times.push(there_and_back(caller, &came));
    }
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_nanos() as f64;
    Ok(vec![Figure::new("p50", "ns", at(0.5)), Figure::new("p99", "ns", at(0.99))])
}

/// From the call until this thread has woken up again after it.
fn there_and_back(caller: &impl Caller, came: &Arc<Came>) -> Duration {
    let began = Instant::now();
    let answer = Arc::clone(came);
    caller.call(move || answer.tell());
    came.wait();
    began.elapsed()
}

/// Word that a call has run.
struct Came {
    /// Set on the host's thread before the unpark, taken by the one that waits, which looks at it after
    /// each park. Acquire and release publish nothing but the call itself.
    came: AtomicBool,
    waiting: Thread,
}

impl Came {
    fn tell(&self) {
        self.came.store(true, Ordering::Release);
        self.waiting.unpark();
    }

    fn wait(&self) {
        while !self.came.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}
