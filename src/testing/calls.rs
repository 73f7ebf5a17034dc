//! Claim 5: calls from many threads.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use super::case::Word;
use super::frames::{Frames, PATIENCE};
use super::host::Host;
use super::trial::Trial;
use crate::{Reactor, Remote, Stats};

const THREADS: usize = 4;
/// How many calls each thread makes at the least.
const CALLS: u64 = 25_000;
/// How many it makes before it waits for one.
const AHEAD: u64 = 500;
/// How many posts and frames of the toolkit's own have to be served meanwhile.
const POSTS: u64 = 50;
const FRAMES: usize = 10;
/// After how many calls the ticks are looked at.
const LOOK: u64 = 500;

/// How many turns an adapter may run of itself.
const SPARE: u64 = 10;

pub(super) fn cases<H: Host>() -> Vec<(&'static str, fn())> {
    vec![("calls", calls::<H>)]
}

/// What the threads and the host know of each other. All of it orders nothing but itself: the calls
/// carry what has to be seen.
#[derive(Default)]
struct Flood {
    /// How many calls of each thread have run; only the host thread writes.
    ran: [AtomicU64; THREADS],
    /// How many each has made, once it has ended.
    made: AtomicU64,
    ended: AtomicU64,
    /// The toolkit's own input was served often enough.
    enough: AtomicBool,
}

impl Flood {
    /// What each thread does.
    fn pour(self: &Arc<Self>, thread: usize, remote: &Remote) {
        let mut number = 0;
        while number < CALLS || !self.enough.load(Ordering::Relaxed) {
            let flood = Arc::clone(self);
            let call = move || flood.arrive(thread, number);
            // Now and then one is waited for, so that the host is not buried in calls.
            let taken = if number % AHEAD == AHEAD - 1 {
                remote.call_blocking(call)
            } else {
                remote.call(call).map_err(io::Error::from)
            };
            taken.expect("the reactor lives");
            number += 1;
        }
        self.made.fetch_add(number, Ordering::AcqRel);
        self.ended.fetch_add(1, Ordering::AcqRel);
    }

    /// The call itself.
    fn arrive(&self, thread: usize, number: u64) {
        let expected = self.ran[thread].fetch_add(1, Ordering::Relaxed);
        assert_eq!(number, expected, "a call of thread {thread} was lost, repeated or overtaken");
        if number % LOOK == 0 {
            one_tick_is_outstanding();
        }
    }

    fn total(&self) -> u64 {
        self.ran.iter().map(|ran| ran.load(Ordering::Relaxed)).sum()
    }

    fn is_over(&self) -> bool {
        self.ended.load(Ordering::Acquire) == THREADS as u64
            && self.made.load(Ordering::Acquire) == self.total()
    }
}

/// Inside a turn, at most the tick of the next one is under way, beside those that a callback which
/// seems to run a nested loop is given.
fn one_tick_is_outstanding() {
    let reactor = Reactor::current().expect("calls run in turns");
    let stats = reactor.stats();
    let answered = stats.turns + stats.wakes_nested + stats.wakes_repeated;
    assert!(stats.wakes_issued <= answered + 1, "more than one tick is outstanding: {stats:#?}");
}

/// A host that runs turns for nothing, or each tick twice, does no harm but to the processor.
fn every_turn_was_asked_for(stats: &Stats) {
    let Stats { turns, wakes_issued, worker_returns, .. } = *stats;
    // Without a worker, the alarm that looks after nested loops has the host run a turn too: on a busy
    // machine that may be often.
    let spare = if worker_returns > 0 { SPARE } else { SPARE + wakes_issued };
    assert!(turns <= wakes_issued + spare, "there were turns that no tick asked for: {stats:#?}");
}

fn calls<H: Host>() {
    let trial = Trial::<H>::open();
    trial.attach();
    let flood = Arc::new(Flood::default());
    let pouring: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (flood, remote) = (Arc::clone(&flood), trial.reactor.remote());
            thread::spawn(move || flood.pour(thread, &remote))
        })
        .collect();
    trial.wait_for("the end of the calls");
    let posts = Rc::new(Cell::new(0));
    chain(&trial.host, &posts);
    let frames = Rc::new(RefCell::new(Frames::default()));
    let (watched, served, ticked) = (Arc::clone(&flood), Rc::clone(&posts), Rc::clone(&frames));
    trial.quit_when(move |_| {
        let mut frames = ticked.borrow_mut();
        frames.come();
        if frames.count >= FRAMES && served.get() >= POSTS {
            watched.enough.store(true, Ordering::Relaxed);
        }
        watched.is_over()
    });
    trial.run();
    pouring.into_iter().for_each(|thread| thread.join().expect("it ended"));
    let (stats, total, posts) = (trial.reactor.stats(), flood.total(), posts.get());
    let worst = frames.borrow().worst;
    assert_eq!(stats.calls, total);
    every_turn_was_asked_for(&stats);
    Word::Note(format!(
        "{total} calls with {} wakes, beside {posts} posts of the toolkit's own; worst frame: {worst:.1?}",
        stats.wakes_issued
    ))
    .say();
    assert!(worst <= PATIENCE, "the toolkit's timer had to wait for {worst:?}");
    trial.end();
}

/// Posts to the toolkit, each time that the post before has come.
fn chain<H: Host>(host: &Rc<H>, posts: &Rc<Cell<u64>>) {
    let (again, count) = (Rc::downgrade(host), Rc::clone(posts));
    host.post(Box::new(move || {
        count.set(count.get() + 1);
        if let Some(host) = again.upgrade().filter(|_| count.get() < 20 * POSTS) {
            chain(&host, &count);
        }
    }));
}
