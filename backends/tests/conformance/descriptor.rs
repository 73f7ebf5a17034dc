//! The one descriptor that stands for a backend, and its alarm.

use std::io::{ErrorKind, Write};
use std::os::fd::BorrowedFd;
use std::time::{Duration, Instant};

use interloop_backends::{Interest, is_ready};

use crate::rig::{LIMIT, Rig, pair};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 6] = claims![claim:
    a_descriptor_and_an_alarm_come_together,
    the_descriptor_is_readable_as_long_as_something_is_ready,
    a_notification_makes_the_descriptor_readable,
    the_alarm_makes_the_descriptor_readable_and_is_never_early,
    the_alarm_ends_a_wait,
    an_alarm_takes_the_place_of_the_one_before,
];

const NEVER: Duration = Duration::MAX;

fn is_readable(descriptor: BorrowedFd<'_>) -> bool {
    is_ready(descriptor, Interest::READABLE).unwrap()
}

fn until_readable(descriptor: BorrowedFd<'_>) {
    let limit = Instant::now() + LIMIT;
    while !is_readable(descriptor) {
        assert!(Instant::now() < limit, "the descriptor does not become readable");
        std::thread::yield_now();
    }
}

/// The waits that report all there is.
fn drain(rig: &Rig) {
    (0..3).for_each(|_| rig.wait(Duration::ZERO));
}

fn a_descriptor_and_an_alarm_come_together(rig: &Rig) {
    let set = rig.poller.set_alarm(None);
    match rig.poller.descriptor() {
        Some(descriptor) => {
            set.unwrap();
            assert!(!is_readable(descriptor));
        }
        None => assert_eq!(set.unwrap_err().kind(), ErrorKind::Unsupported),
    }
}

fn the_descriptor_is_readable_as_long_as_something_is_ready(rig: &Rig) {
    let Some(descriptor) = rig.poller.descriptor() else { return };
    let (near, far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    assert!(!is_readable(descriptor));
    for _ in 0..3 {
        (&far).write_all(b"a").unwrap();
        until_readable(descriptor);
        assert!(is_readable(descriptor), "nobody has waited");
        rig.ready(key);
        drain(rig);
        assert!(!is_readable(descriptor), "one-shot, and reported");
        // What is there still is there.
        rig.arm(&near, key, Interest::READABLE);
        until_readable(descriptor);
        rig.arm(&near, key, Interest::NONE);
        drain(rig);
        assert!(!is_readable(descriptor));
        rig.arm(&near, key, Interest::READABLE);
        rig.ready(key);
        let mut byte = [0];
        std::io::Read::read_exact(&mut &near, &mut byte).unwrap();
        rig.arm(&near, key, Interest::READABLE);
        drain(rig);
        assert!(!is_readable(descriptor));
    }
    rig.delete(&near, key);
}

// 3
fn a_notification_makes_the_descriptor_readable(rig: &Rig) {
    let Some(descriptor) = rig.poller.descriptor() else { return };
    for count in [1, 1, 100] {
        (0..count).for_each(|_| rig.poller.notify().unwrap());
        until_readable(descriptor);
        drain(rig);
        assert!(!is_readable(descriptor));
    }
}

// 27
fn the_alarm_makes_the_descriptor_readable_and_is_never_early(rig: &Rig) {
    let Some(descriptor) = rig.poller.descriptor() else { return };
    for microseconds in [0, 1, 999, 1000, 1001, 20_500] {
        let (start, after) = (Instant::now(), Duration::from_micros(microseconds));
        rig.poller.set_alarm(Some(after)).unwrap();
        until_readable(descriptor);
        assert!(start.elapsed() >= after);
        drain(rig);
        assert!(!is_readable(descriptor), "it goes off once");
    }
}

fn the_alarm_ends_a_wait(rig: &Rig) {
    if rig.poller.descriptor().is_none() {
        return;
    }
    let (start, after) = (Instant::now(), Duration::from_millis(3));
    rig.poller.set_alarm(Some(after)).unwrap();
    let mut events = Vec::new();
    rig.poller.wait(&mut events, None).unwrap();
    assert!(start.elapsed() >= after && events.is_empty());
}

fn an_alarm_takes_the_place_of_the_one_before(rig: &Rig) {
    let Some(descriptor) = rig.poller.descriptor() else { return };
    let soon = Duration::from_millis(5);
    for later in [None, Some(NEVER), Some(LIMIT * 2)] {
        rig.poller.set_alarm(Some(soon)).unwrap();
        rig.poller.set_alarm(later).unwrap();
        // Longer than the first would have taken.
        rig.wait(soon * 4);
        assert!(!is_readable(descriptor), "{later:?}");
    }
    rig.poller.set_alarm(Some(soon)).unwrap();
    until_readable(descriptor);
    drain(rig);
}
