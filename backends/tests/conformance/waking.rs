//! Notifications, and who may wait.

use std::io::{ErrorKind, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use interloop_backends::{Interest, Poller};

use crate::rig::{LIMIT, Rig, pair};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 6] = claims![claim:
    a_notification_before_the_wait_is_not_lost,
    a_notification_ends_a_wait_that_has_no_timeout,
    many_notifications_end_one_wait,
    notifications_of_many_threads_are_not_lost,
    a_notification_does_not_hide_an_event,
    a_second_waiting_thread_is_refused,
];

// 3
fn a_notification_before_the_wait_is_not_lost(rig: &Rig) {
    for _ in 0..1000 {
        rig.poller.notify().unwrap();
        rig.poller.wait(&mut Vec::new(), None).unwrap();
    }
}

// 3
fn a_notification_ends_a_wait_that_has_no_timeout(rig: &Rig) {
    for _ in 0..1000 {
        thread::scope(|scope| {
            let poller = &rig.poller;
            scope.spawn(move || poller.wait(&mut Vec::new(), None).unwrap());
            poller.notify().unwrap();
        });
    }
}

// 4
fn many_notifications_end_one_wait(rig: &Rig) {
    (0..1000).for_each(|_| rig.poller.notify().unwrap());
    let mut ended = 0;
    loop {
        let (start, timeout) = (Instant::now(), Duration::from_millis(20));
        rig.wait(timeout);
        if start.elapsed() >= timeout {
            break;
        }
        ended += 1;
    }
    assert!(ended <= 1, "{ended} waits were ended");
}

// 3
fn notifications_of_many_threads_are_not_lost(rig: &Rig) {
    const ROUNDS: u64 = 2000;
    let sent: [AtomicU64; 4] = Default::default();
    let seen: [AtomicU64; 4] = Default::default();
    let poller = &rig.poller;
    thread::scope(|scope| {
        for (sent, seen) in sent.iter().zip(&seen) {
            scope.spawn(move || {
                for round in 1..=ROUNDS {
                    sent.store(round, Ordering::SeqCst);
                    poller.notify().unwrap();
                    // The waiting thread hangs for ever where this notification is lost.
                    while seen.load(Ordering::SeqCst) < round {
                        thread::yield_now();
                    }
                }
            });
        }
        while seen.iter().any(|seen| seen.load(Ordering::SeqCst) < ROUNDS) {
            poller.wait(&mut Vec::new(), None).unwrap();
            for (sent, seen) in sent.iter().zip(&seen) {
                seen.store(sent.load(Ordering::SeqCst), Ordering::SeqCst);
            }
        }
    });
}

// 3
fn a_notification_does_not_hide_an_event(rig: &Rig) {
    let (near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    far.write_all(b"a").unwrap();
    for _ in 0..100 {
        rig.poller.notify().unwrap();
        assert!(rig.ready(key).is_readable());
        rig.arm(&near, key, Interest::READABLE);
    }
    rig.delete(&near, key);
}

// 2
fn a_second_waiting_thread_is_refused(rig: &Rig) {
    let refused = AtomicBool::new(false);
    // Two threads wait, until one of them finds the other in its wait.
    let wait_until_one_is_refused = |poller: Arc<dyn Poller>| {
        while !refused.load(Ordering::SeqCst) {
            if let Err(error) = poller.wait(&mut Vec::new(), Some(LIMIT)) {
                assert_eq!(error.kind(), ErrorKind::ResourceBusy);
                assert!(error.to_string().contains("another thread is waiting"), "{error}");
                refused.store(true, Ordering::SeqCst);
                poller.notify().unwrap();
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            let poller = Arc::clone(&rig.poller);
            scope.spawn(|| wait_until_one_is_refused(poller));
        }
    });
    // And the backend goes on.
    rig.poller.notify().unwrap();
    rig.poller.wait(&mut Vec::new(), None).unwrap();
}
