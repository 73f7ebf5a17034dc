//! The worker's watch: ticks that fail, ticks that are swallowed, callbacks that do not return.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use loom::thread;

use crate::builder::Options;
use crate::shared::{Flag, Shared};
use crate::tick::Tick;
use crate::watchdog::Watchdog;

/// The worker of a model: rounds until it is told to end.
fn work(shared: &Arc<Shared>) -> thread::JoinHandle<()> {
    work_watching(shared, shared.options.rewake_after)
}

fn work_watching(shared: &Arc<Shared>, rewake_after: Duration) -> thread::JoinHandle<()> {
    let shared = Arc::clone(shared);
    thread::spawn(move || {
        let Options { grace, swap_limit, .. } = shared.options;
        let mut watchdog = Watchdog::new(&Options { grace, rewake_after, swap_limit });
        while shared.work(&mut watchdog) {
            thread::yield_now();
        }
    })
}

/// A host that hears of each tick.
fn host_of(shared: &Arc<Shared>) -> Arc<Flag> {
    host_that_hears(shared, |_, tick| {
        tick.spend();
        true
    })
}

/// A host whose waker does `post` to each tick, with the number of those before it. It hears of those for
/// which that is true.
fn host_that_hears(
    shared: &Arc<Shared>,
    post: impl Fn(usize, Tick) -> bool + Send + Sync + 'static,
) -> Arc<Flag> {
    let host = Arc::new(Flag::new());
    let queue = Arc::clone(&host);
    // Counted under the lock of the proxy: the model has nothing to see of it.
    let posts = AtomicUsize::new(0);
    let waker = move |tick: Tick| {
        if post(posts.fetch_add(1, Ordering::Relaxed), tick) {
            queue.notify().unwrap();
        }
    };
    shared.swap_waker(Arc::new(waker)).unwrap();
    host
}

/// Runs a turn that has nothing to do.
fn turn(shared: &Shared) {
    shared.inbox.begin();
    shared.counters.turns.add(1);
}

fn end(shared: &Shared, worker: thread::JoinHandle<()>) {
    shared.notify_if(shared.park.exit());
    worker.join().unwrap();
}

/// The first tick is dropped: the worker hears of it, asleep or not, and posts another. It does not
/// watch for swallowed ticks here, which would find this one too, later.
#[test]
fn watch_posts_again_for_a_dropped_tick() {
    loom::model(|| {
        let shared = Shared::new();
        let host = host_that_hears(&shared, |before, tick| {
            if before > 0 {
                tick.spend();
            }
            before > 0
        });
        let worker = work_watching(&shared, Duration::MAX);
        shared.wake();
        host.wait();
        turn(&shared);
        end(&shared, worker);
    });
}

/// The first tick vanishes without a word, after one that came through: the worker watches, asleep
/// or not or just about to stop watching, and posts another.
#[test]
fn watch_posts_again_for_a_tick_swallowed_later() {
    loom::model(|| {
        let shared = Shared::new();
        let host = host_that_hears(&shared, |before, tick| {
            tick.spend();
            before != 1
        });
        let worker = work(&shared);
        for _ in 0..2 {
            shared.wake();
            host.wait();
            turn(&shared);
        }
        end(&shared, worker);
    });
}

/// The first tick vanishes without a word: the worker watches, asleep or not, and posts another.
#[test]
fn watch_posts_again_for_a_swallowed_tick() {
    loom::model(|| {
        let shared = Shared::new();
        let host = host_that_hears(&shared, |before, tick| {
            tick.spend();
            before > 0
        });
        let worker = work(&shared);
        shared.wake();
        host.wait();
        turn(&shared);
        end(&shared, worker);
    });
}

/// A callback runs with things left behind it, and does not return before a tick has come: the
/// worker notices, even where it was just about to stop watching.
#[test]
fn watch_gives_a_nested_loop_its_tick() {
    loom::model(|| {
        let shared = Shared::new();
        let host = host_of(&shared);
        let worker = work(&shared);
        // The second callback begins when the worker may be about to stop watching.
        for number in 1..=2 {
            shared.notify_if(shared.park.watch_callback(number, false));
            // The nested host loop.
            host.wait();
            turn(&shared);
            shared.park.set_callback(0);
        }
        end(&shared, worker);
    });
}

/// Callbacks run one after the other with things left behind them, and only the first asks for the watch in
/// so many words. The last one does not return before a tick has come: the worker has stayed at its watch, or
/// has posted a tick when it left.
#[test]
fn watch_goes_on_from_one_callback_to_the_next() {
    loom::model(|| {
        let shared = Shared::new();
        let host = host_of(&shared);
        let worker = work(&shared);
        shared.notify_if(shared.park.watch_callback(1, false));
        // One before which nothing was left: the worker may have stopped watching, and the next one asks anew.
        shared.park.set_callback(0);
        shared.notify_if(shared.park.watch_callback(2, false));
        shared.notify_if(shared.park.watch_callback(3, true));
        // The nested host loop, in whose turn the next callback opens another one.
        host.wait();
        turn(&shared);
        shared.notify_if(shared.park.watch_callback(4, true));
        host.wait();
        turn(&shared);
        shared.park.set_callback(0);
        end(&shared, worker);
    });
}
