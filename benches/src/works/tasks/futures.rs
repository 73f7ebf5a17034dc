//! The futures that every executor runs.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use super::executors::Executor;
use super::signal::{RemoteSignal, Signal};
use super::timed;

/// Spawns `crowd` tasks that count, and awaits them; so many times.
pub(super) fn spawn<E: Executor>(executor: E, crowd: usize, times: usize) -> io::Result<Duration> {
    let spawner = executor.spawner();
    executor.block_on(timed(async move {
        let ended = Rc::new(Cell::new(0));
        let mut tasks = Vec::with_capacity(crowd);
        for _ in 0..times {
            tasks.extend((0..crowd).map(|_| {
                let ended = Rc::clone(&ended);
                E::spawn(&spawner, async move { ended.set(ended.get() + 1) })
            }));
            for task in tasks.drain(..) {
                task.await;
            }
        }
        assert_eq!(ended.get(), crowd * times, "a task did not run");
    }))
}

/// `crowd` tasks yield so many times each.
pub(super) fn yields<E: Executor>(executor: E, crowd: usize, times: usize) -> io::Result<Duration> {
    let spawner = executor.spawner();
    executor.block_on(timed(async move {
        let task = |_| {
            E::spawn(&spawner, async move {
                for _ in 0..times {
                    E::yield_now().await;
                }
            })
        };
        for task in (0..crowd).map(task).collect::<Vec<_>>() {
            task.await;
        }
    }))
}

/// `crowd` pairs of tasks wake each other to and fro, until so many wakes have led to a poll in each.
pub(super) fn wakes<E: Executor>(executor: E, crowd: usize, times: usize) -> io::Result<Duration> {
    let spawner = executor.spawner();
    executor.block_on(timed(async move {
        let pair = |_| {
            let ends = [Rc::new(Signal::default()), Rc::new(Signal::default())];
            ends[0].set();
            [0, 1].map(|end| {
                let (own, other) = (Rc::clone(&ends[end]), Rc::clone(&ends[1 - end]));
                E::spawn(&spawner, async move {
                    for _ in 0..times / 2 {
                        own.wait().await;
                        other.set();
                    }
                })
            })
        };
        for task in (0..crowd).flat_map(pair).collect::<Vec<_>>() {
            task.await;
        }
    }))
}

/// Another thread wakes `crowd` tasks and waits until all have been polled; so many times.
pub(super) fn wakes_of_another<E: Executor>(
    executor: E,
    crowd: usize,
    times: usize,
) -> io::Result<Duration> {
    let signals: Vec<_> = (0..crowd).map(|_| Arc::new(RemoteSignal::default())).collect();
    // How many have not been polled in this round. Written by the tasks and by the thread before it
    // wakes them; acquire and release, though the park would order them as well.
    let left = Arc::new(AtomicUsize::new(0));
    let spawner = executor.spawner();
    let (signals, count) = (Arc::new(signals), Arc::clone(&left));
    let waking = Arc::clone(&signals);
    let waker = thread::Builder::new().name("waker".to_owned()).spawn(move || {
        // Until the tasks are there.
        thread::park();
        for _ in 0..times {
            count.store(crowd, Ordering::Release);
            waking.iter().for_each(|signal| signal.set());
            while count.load(Ordering::Acquire) > 0 {
                thread::park();
            }
        }
    })?;
    let thread = waker.thread().clone();
    let took = executor.block_on(timed(async move {
        let task = |signal: &Arc<RemoteSignal>| {
            let (signal, left, thread) = (Arc::clone(signal), Arc::clone(&left), thread.clone());
            E::spawn(&spawner, async move {
                for _ in 0..times {
                    signal.wait().await;
                    if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                        thread.unpark();
                    }
                }
            })
        };
        let tasks: Vec<_> = signals.iter().map(task).collect();
        thread.unpark();
        for task in tasks {
            task.await;
        }
    }));
    waker.join().expect("the thread does not panic");
    took
}
