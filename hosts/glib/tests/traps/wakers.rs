//! The raw hook, used by many threads while its source comes and goes.
#![allow(unsafe_code)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use glib::translate::from_glib;
use glib::{MainContext, Priority, SourceId};
use interloop::{Reactor, Remote};
use interloop_glib::waker;

use crate::world::{Count, LIMIT, in_own_context};

const THREADS: usize = 4;
const SWAPS: usize = 500;

/// Threads that call until they are told to end.
struct Callers {
    ran: Count,
    end: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<u64>>,
}

impl Callers {
    fn start(remote: &Remote) -> Callers {
        let (ran, end) = (Count::default(), Arc::new(AtomicBool::new(false)));
        let threads = (0..THREADS).map(|_| {
            let (remote, ran, end) = (remote.clone(), ran.clone(), Arc::clone(&end));
            thread::spawn(move || {
                let mut made = 0;
                while !end.load(Ordering::Relaxed) {
                    remote.call(ran.call()).unwrap();
                    made += 1;
                    thread::yield_now();
                }
                made
            })
        });
        Callers { threads: threads.collect(), ran, end }
    }

    /// How many calls were made, and how many have run so far.
    fn end(self) -> (u64, Count) {
        self.end.store(true, Ordering::Relaxed);
        let made = self.threads.into_iter().map(|thread| thread.join().unwrap()).sum();
        (made, self.ran)
    }
}

#[test]
fn a_source_may_be_destroyed_while_four_threads_wake_it() {
    in_own_context(|world| {
        let reactor = Reactor::new().unwrap();
        let proxy = reactor.interleave(waker(&world.context, Priority::DEFAULT)).unwrap();
        let callers = Callers::start(&reactor.remote());
        for _ in 0..SWAPS {
            proxy.swap(waker(&world.context, Priority::DEFAULT)).unwrap();
            world.context.iteration(false);
        }
        let (made, ran) = callers.end();
        world.iterate_until(|| ran.get() == made);
    });
}

#[test]
fn a_context_may_be_dropped_while_four_threads_wake_it() {
    in_own_context(|world| {
        let reactor = Reactor::new().unwrap();
        let proxy = reactor.interleave(waker(&MainContext::new(), Priority::DEFAULT)).unwrap();
        let callers = Callers::start(&reactor.remote());
        for _ in 0..SWAPS {
            // Its context is freed with the waker, by the next swap.
            proxy.swap(waker(&MainContext::new(), Priority::DEFAULT)).unwrap();
        }
        proxy.swap(waker(&world.context, Priority::DEFAULT)).unwrap();
        let (made, ran) = callers.end();
        world.iterate_until(|| ran.get() == made);
    });
}

#[test]
fn a_reactor_may_be_dropped_while_four_threads_wake_it() {
    in_own_context(|world| {
        for _ in 0..20 {
            let reactor = Reactor::new().unwrap();
            reactor.interleave(waker(&world.context, Priority::DEFAULT)).unwrap();
            let threads = (0..THREADS).map(|_| {
                let remote = reactor.remote();
                thread::spawn(move || while remote.call(|| ()).is_ok() {})
            });
            let threads: Vec<_> = threads.collect();
            world.context.iteration(true);
            drop(reactor);
            threads.into_iter().for_each(|thread| thread.join().unwrap());
        }
        world.run_dry();
    });
}

#[test]
fn a_source_that_somebody_else_destroyed_is_a_failed_post() {
    let context = MainContext::new();
    let reactor = Reactor::new().unwrap();
    let proxy = reactor.interleave(waker(&context, Priority::DEFAULT)).unwrap();
    // SAFETY: it is the first source of a new context, and those are numbered from 1.
    let id: SourceId = unsafe { from_glib(1) };
    let source = context.find_source_by_id(&id).unwrap();
    assert_eq!(source.name().as_deref(), Some("interloop"));
    source.destroy();
    let ran = Count::default();
    reactor.remote().call(ran.call()).unwrap();
    assert!(reactor.stats().wakes_failed >= 1);
    proxy.swap(waker(&context, Priority::DEFAULT)).unwrap();
    while ran.get() == 0 {
        context.iteration(true);
    }
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}
