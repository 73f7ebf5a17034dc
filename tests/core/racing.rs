//! Calls that race with the end of the reactor: each is accounted for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::thread::ThreadId;
use std::time::Duration;

use interloop::{Phase, Remote};

use crate::cases;
use crate::world::{LIMIT, World};

cases!(
    calls_that_race_with_the_shutdown_run_or_come_back,
    calls_that_race_with_the_drop_are_accounted_for,
    calls_that_race_with_finish_run_or_come_back,
);

/// One caller's calls: each is counted once, where it ended.
#[derive(Default)]
struct Ledger {
    taken: AtomicU64,
    ran: AtomicU64,
    came_back: AtomicU64,
    dropped: AtomicU64,
    wrong: AtomicU64,
}

/// A call's entry in the ledger, which the closure owns.
struct Entry {
    ledger: Arc<Ledger>,
    number: u64,
    caller: ThreadId,
    ran: bool,
}

impl Entry {
    /// The call runs: on the host thread, or on the caller's, where it came back to.
    fn run(mut self) {
        self.ran = true;
        if thread::current().id() != self.caller {
            if self.ledger.ran.fetch_add(1, Ordering::Relaxed) != self.number {
                self.ledger.wrong.fetch_add(1, Ordering::Relaxed);
            }
        } else {
            self.ledger.came_back.fetch_add(1, Ordering::Relaxed);
            if self.ledger.taken.load(Ordering::Relaxed) != self.number {
                self.ledger.wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !self.ran {
            self.ledger.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Four threads that call until they are refused.
struct Callers {
    ledgers: Vec<Arc<Ledger>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Callers {
    fn start(remote: &Remote) -> Callers {
        const CALLERS: usize = 4;
        let ledgers: Vec<_> = (0..CALLERS).map(|_| Arc::new(Ledger::default())).collect();
        let begin = Arc::new(Barrier::new(CALLERS));
        let threads = ledgers
            .iter()
            .map(|ledger| {
                let (ledger, remote) = (Arc::clone(ledger), remote.clone());
                let begin = Arc::clone(&begin);
                thread::spawn(move || {
                    begin.wait();
                    let caller = thread::current().id();
                    for number in 0.. {
                        // Does not run ahead of the host, so that the end meets a short queue.
                        while number > ledger.ran.load(Ordering::Relaxed) + 500
                            && !remote.is_stopped()
                        {
                            thread::yield_now();
                        }
                        let kept = Arc::clone(&ledger);
                        let entry = Entry { ledger: kept, number, caller, ran: false };
                        match remote.call(move || entry.run()) {
                            Ok(()) => ledger.taken.fetch_add(1, Ordering::Relaxed),
                            Err(refused) => return (refused.f)(),
                        };
                    }
                })
            })
            .collect();
        Callers { ledgers, threads }
    }

    /// Waits for the callers, and checks that each call that was taken ended once; how many of them
    /// did not run.
    fn settle(self) -> u64 {
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut dropped = 0;
        for ledger in &self.ledgers {
            let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
            assert_eq!(read(&ledger.wrong), 0, "out of order, or another's closure came back");
            assert_eq!(read(&ledger.came_back), 1, "the refused one comes back");
            assert_eq!(read(&ledger.ran) + read(&ledger.dropped), read(&ledger.taken));
            dropped += read(&ledger.dropped);
        }
        dropped
    }
}

/// Behaviour 34: counted, from four threads, over and over.
fn calls_that_race_with_the_shutdown_run_or_come_back(world: &World) {
    for round in 0..10 {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let callers = Callers::start(&reactor.remote());
        let stopper = reactor.remote();
        let done = host.clone();
        let trigger = reactor.on_shutdown(Phase::After, async move { done.done() }).unwrap();
        // Some rounds end in a flood, some before it has begun.
        let delay = Duration::from_micros(100 * (round % 10));
        let timer = reactor.after(delay, move || stopper.stop());
        host.run();
        drop((timer, trigger));
        if !reactor.is_stopped() {
            host.run_until(|| reactor.is_stopped());
        }
        assert_eq!(callers.settle(), 0, "no call that was taken is dropped");
    }
}

/// Behaviour 34: dropping the reactor drops what has not run, and nothing vanishes.
fn calls_that_race_with_the_drop_are_accounted_for(world: &World) {
    for _ in 0..5 {
        let reactor = world.reactor();
        let host = world.has_host().then(|| world.host(&reactor));
        let callers = Callers::start(&reactor.remote());
        while callers.ledgers.iter().any(|ledger| ledger.taken.load(Ordering::Relaxed) == 0) {
            reactor.turn();
            thread::yield_now();
        }
        drop((reactor, host));
        callers.settle();
    }
}

/// Behaviour 34, 40.
fn calls_that_race_with_finish_run_or_come_back(world: &World) {
    for _ in 0..5 {
        let reactor = world.reactor();
        let host = world.has_host().then(|| world.host(&reactor));
        let callers = Callers::start(&reactor.remote());
        while callers.ledgers.iter().any(|ledger| ledger.taken.load(Ordering::Relaxed) == 0) {
            thread::yield_now();
        }
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        drop(host);
        assert_eq!(callers.settle(), 0, "no call that was taken is dropped");
    }
}
