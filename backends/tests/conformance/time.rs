//! Timeouts, with and without signals.
#![allow(unsafe_code)]

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::thread::JoinHandleExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use interloop_backends::{Event, Interest, Mode, Poller};

use crate::rig::{Rig, pair};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 3] = claims![claim:
    a_timeout_is_never_early,
    a_timeout_of_zero_does_not_block,
    an_endless_timeout_does_not_overflow,
];

pub(crate) const CLAIMS_ALONE: [Claim; 2] = claims![claim_alone:
    a_storm_of_signals_keeps_timeouts,
    a_storm_of_signals_loses_nothing,
];

// 27
fn a_timeout_is_never_early(rig: &Rig) {
    for microseconds in [1, 30, 300, 999, 1000, 1001, 2500, 10_000] {
        let timeout = Duration::from_micros(microseconds);
        for _ in 0..20 {
            assert_waits_for(&*rig.poller, timeout);
        }
    }
}

fn assert_waits_for(poller: &dyn Poller, timeout: Duration) {
    let (start, mut events) = (Instant::now(), Vec::new());
    poller.wait(&mut events, Some(timeout)).unwrap();
    assert!(start.elapsed() >= timeout, "{:?} of {timeout:?}", start.elapsed());
    assert_eq!(events, []);
}

fn a_timeout_of_zero_does_not_block(rig: &Rig) {
    let (near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    let mut events = Vec::new();
    rig.poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
    assert_eq!(events, []);
    // And reports what is there.
    far.write_all(b"a").unwrap();
    rig.poller.wait(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(matches!(events[..], [Event::Ready { key: k, .. }] if k == key), "{events:?}");
    rig.delete(&near, key);
}

// 29
fn an_endless_timeout_does_not_overflow(rig: &Rig) {
    for timeout in [Duration::MAX, Duration::from_secs(u64::MAX / 2), Duration::from_secs(1 << 40)]
    {
        rig.poller.notify().unwrap();
        rig.poller.wait(&mut Vec::new(), Some(timeout)).unwrap();
    }
}

/// How many signals of a storm have come. Counted by the handler, and read by whoever waits for one.
static HANDLED: AtomicU64 = AtomicU64::new(0);

/// Runs `work` in a thread that gets a signal every millisecond, and nothing happens by it but
/// that system calls are interrupted.
fn in_a_storm(work: impl FnOnce() + Send + 'static) {
    extern "C" fn count(_: libc::c_int) {
        HANDLED.fetch_add(1, Ordering::SeqCst);
    }
    // SAFETY: the handler does nothing but count, which a handler may, and is set without SA_RESTART before the first signal.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as extern "C" fn(libc::c_int) as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
    }
    let done = Arc::new(AtomicBool::new(false));
    let worker = thread::spawn({
        let done = Arc::clone(&done);
        move || {
            work();
            done.store(true, Ordering::SeqCst);
        }
    });
    while !done.load(Ordering::SeqCst) && !worker.is_finished() {
        // SAFETY: the thread is not joined yet, so that its id is good.
        unsafe { libc::pthread_kill(worker.as_pthread_t(), libc::SIGUSR1) };
        // How dense the storm is: one without gaps would leave the thread no time for anything else.
        thread::sleep(Duration::from_millis(1));
    }
    worker.join().unwrap();
}

// 19
fn a_storm_of_signals_keeps_timeouts(rig: &Rig) {
    let poller = Arc::clone(&rig.poller);
    in_a_storm(move || {
        for milliseconds in [0, 1, 5, 50, 200] {
            assert_waits_for(&*poller, Duration::from_millis(milliseconds));
        }
        // Not a multiple of anything.
        assert_waits_for(&*poller, Duration::from_nanos(33_333_333));
    });
}

// 19
fn a_storm_of_signals_loses_nothing(rig: &Rig) {
    let (mut near, mut far) = pair();
    far.set_nonblocking(false).unwrap();
    let key = rig.add(&near, Interest::READABLE);
    let poller = Arc::clone(&rig.poller);
    let writer = thread::spawn(move || {
        for _ in 0..300 {
            // Each byte comes after a signal of its own, so that the storm lasts as long as they do.
            let before = HANDLED.load(Ordering::SeqCst);
            while HANDLED.load(Ordering::SeqCst) == before {
                thread::yield_now();
            }
            far.write_all(&[7]).unwrap();
        }
    });
    in_a_storm(move || {
        let mut received = 0;
        while received < 300 {
            let mut events = Vec::new();
            poller.wait(&mut events, None).unwrap();
            for event in events {
                assert!(matches!(event, Event::Ready { key: k, .. } if k == key), "{event:?}");
                received += near.read(&mut [0; 64]).unwrap();
                poller.modify(near.as_fd(), key, Interest::READABLE, Mode::Oneshot).unwrap();
            }
        }
    });
    writer.join().unwrap();
}
