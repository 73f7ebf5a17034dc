//! Claim 5: calls from many threads.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

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
/// How many frames of the toolkit's own timer have to come meanwhile, each with an input of its own.
const FRAMES: usize = 20;
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
    // A worker, if there is one, returns for it, and is known by that.
    trial.reactor.after(Duration::from_millis(1), || ()).detach();
    let flood = Arc::new(Flood::default());
    let pouring: Vec<_> = (0..THREADS)
        .map(|thread| {
            let (flood, remote) = (Arc::clone(&flood), trial.reactor.remote());
            thread::spawn(move || flood.pour(thread, &remote))
        })
        .collect();
    trial.wait_for("the end of the calls");
    let (frames, inputs) = (Rc::new(RefCell::new(Frames::default())), Rc::new(Inputs::default()));
    let (watched, ticked, served) = (Arc::clone(&flood), Rc::clone(&frames), Rc::clone(&inputs));
    trial.quit_when(move |trial| {
        let mut frames = ticked.borrow_mut();
        frames.come();
        served.ask(&trial.host);
        if frames.count >= FRAMES && served.count.get() >= FRAMES {
            watched.enough.store(true, Ordering::Relaxed);
        }
        watched.is_over()
    });
    trial.run();
    pouring.into_iter().for_each(|thread| thread.join().expect("it ended"));
    let (stats, total) = (trial.reactor.stats(), flood.total());
    assert_eq!(stats.calls, total);
    every_turn_was_asked_for(&stats);
    let (frame, input) = (frames.borrow().worst, inputs.worst.get());
    let wakes = stats.wakes_issued;
    Word::Note(format!(
        "{total} calls with {wakes} wakes; worst frame {frame:.1?}, input {input:.1?}"
    ))
    .say();
    assert!(frame.max(input) <= PATIENCE, "the toolkit's own timer or input had to wait");
    trial.end();
}

/// The toolkit's own input: what it posts to itself.
#[derive(Default)]
struct Inputs {
    count: Cell<usize>,
    /// The longest that one took.
    worst: Cell<Duration>,
}

impl Inputs {
    fn ask<H: Host>(self: &Rc<Self>, host: &Rc<H>) {
        let (inputs, asked) = (Rc::clone(self), Instant::now());
        host.post(Box::new(move || {
            inputs.count.set(inputs.count.get() + 1);
            inputs.worst.set(inputs.worst.get().max(asked.elapsed()));
        }));
    }
}
