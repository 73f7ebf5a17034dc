//! The worker's sleep against whoever has something for it.

use std::sync::Arc;

use loom::thread;

use crate::builder::Options;
use crate::clock::NEVER;
use crate::shared::Shared;
use crate::sync::{AtomicBool, Ordering};
use crate::watchdog::Watchdog;

fn watchdog(shared: &Arc<Shared>) -> Watchdog {
    let Options { grace, rewake_after, swap_limit } = shared.options;
    Watchdog::new(&Options { grace, rewake_after, swap_limit })
}

/// A registration, as poll and select take it: a change, then an interrupt. If the worker could
/// fall asleep without having seen the change, it would sleep for ever.
#[test]
fn park_sees_a_change_before_it_sleeps() {
    loom::model(|| {
        let shared = Shared::new();
        let change = Arc::new(AtomicBool::new(false));
        let host = {
            let (shared, change) = (Arc::clone(&shared), Arc::clone(&change));
            thread::spawn(move || {
                change.store(true, Ordering::Relaxed);
                shared.notify_if(shared.park.interrupt());
            })
        };
        // The backend applies changes at the start of a wait, after the announcement.
        while shared.park.sleep_until(|| NEVER).is_some() && !change.load(Ordering::Relaxed) {
            shared.poller.wait();
            shared.park.awake();
        }
        host.join().unwrap();
    });
}

/// A timer earlier than what the worker sleeps on: it is read before the sleep, or interrupts it.
#[test]
fn park_sees_an_earlier_timer() {
    loom::model(|| {
        let shared = Shared::new();
        let host = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                shared.notify_if(shared.park.set_deadline(5000));
                // A later one interrupts nobody.
                shared.notify_if(shared.park.set_deadline(6000));
            })
        };
        while !shared.park.take_due(10_000) {
            let until = shared.park.sleep_until(|| shared.park.deadline()).unwrap();
            if until == NEVER {
                shared.poller.wait();
            }
            shared.park.awake();
        }
        host.join().unwrap();
        // Whichever of the two the worker took, the other may stand; none is ever invented.
        assert!(matches!(shared.park.deadline(), 6000 | NEVER));
    });
}

/// The worker takes an expired deadline while the host publishes another: that one stays.
#[test]
fn park_never_takes_a_deadline_that_it_did_not_read() {
    loom::model(|| {
        let shared = Shared::new();
        let _asleep = shared.park.set_deadline(1000);
        let host = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || {
                let _asleep = shared.park.set_deadline(9000);
            })
        };
        shared.park.take_due(2000);
        host.join().unwrap();
        assert_eq!(shared.park.deadline(), 9000);
    });
}

/// A post failed: the worker hears of it before it sleeps, or is interrupted.
#[test]
fn park_sees_a_failed_post() {
    loom::model(|| {
        let shared = Shared::new();
        let poster = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.notify_if(shared.park.fail()))
        };
        let mut failed = false;
        while !failed {
            let plan = || {
                failed |= shared.park.take_failed();
                if failed { 1 } else { NEVER }
            };
            if shared.park.sleep_until(plan) == Some(NEVER) {
                shared.poller.wait();
            }
            shared.park.awake();
        }
        poster.join().unwrap();
    });
}

/// The end: a worker that is told to end while it falls asleep ends.
#[test]
fn park_sees_the_exit() {
    loom::model(|| {
        let shared = Shared::new();
        let host = {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.notify_if(shared.park.exit()))
        };
        let mut watchdog = watchdog(&shared);
        while shared.work(&mut watchdog) {}
        host.join().unwrap();
    });
}
