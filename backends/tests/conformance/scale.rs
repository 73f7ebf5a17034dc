//! Many descriptors, and high numbers.

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::thread;

use interloop_backends::{BackendKind, Event, Interest, Mode, Readiness};
use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::rig::{LIMIT, Rig, pair};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS_ALONE: [Claim; 4] = claims![claim_alone:
    more_than_1024_descriptors_all_fire,
    as_many_descriptors_as_the_limit_allows_all_fire,
    a_number_above_the_limit_is_watched_or_refused,
    another_thread_may_wait_when_no_descriptor_is_left,
];

/// The highest number that this process may open.
fn raise_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let current = getrlimit(Resource::Nofile).current;
    current.map_or(20_000, |limit| limit as usize).min(20_000)
}

/// Watches `sources`, which are all readable, and arms each of them once more.
fn assert_all_fire(rig: &Rig, sources: &[OwnedFd]) {
    let keys: Vec<_> = sources.iter().map(|fd| rig.add(fd, Interest::READABLE)).collect();
    for (source, key) in sources.iter().zip(&keys) {
        assert!(rig.ready(*key).is_readable());
        rig.arm(source, *key, Interest::READABLE);
    }
    for (source, key) in sources.iter().zip(&keys) {
        assert!(rig.ready(*key).is_readable());
        let _ = rig.poller.delete(source.as_fd(), *key);
    }
}

// 23
fn more_than_1024_descriptors_all_fire(rig: &Rig) {
    let count = 3000.min(raise_limit() / 2 - 50);
    let (near, mut far): (Vec<OwnedFd>, Vec<_>) =
        (0..count).map(|_| pair()).map(|(near, far)| (OwnedFd::from(near), far)).unzip();
    // The last one is quiet, and must not be reported.
    let quiet = near.len() - 1;
    far[..quiet].iter_mut().for_each(|far| far.write_all(b"a").unwrap());
    let key = rig.add(&near[quiet], Interest::READABLE);
    assert_all_fire(rig, &near[..quiet]);
    rig.assert_quiet(key);
    far[quiet].write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
}

// 23
fn as_many_descriptors_as_the_limit_allows_all_fire(rig: &Rig) {
    let count = raise_limit() - 100;
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    let duplicates = (0..count).map(|_| OwnedFd::from(near.try_clone().unwrap()));
    let duplicates: Vec<_> = duplicates.collect();
    assert_all_fire(rig, &duplicates);
}

// 23
fn a_number_above_the_limit_is_watched_or_refused(rig: &Rig) {
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    let high = fcntl_dupfd_cloexec(&near, 200).unwrap();
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(100), ..limit }).unwrap();
    if rig.kind() == BackendKind::Select {
        let error = rig
            .poller
            .add(high.as_fd(), rig.new_key(), Interest::READABLE, Mode::Oneshot)
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
        let expected = format!(
            "select backend: fd {} is above the process limit 100 (RLIMIT_NOFILE)",
            high.as_raw_fd()
        );
        assert!(error.to_string().starts_with(&expected), "{error}");
    } else {
        let key = rig.add(&high, Interest::READABLE);
        assert!(rig.ready(key).is_readable());
        rig.delete(&high, key);
    }
    let key = rig.add(&near, Interest::READABLE);
    assert!(rig.ready(key).is_readable());
    rig.delete(&near, key);
}

// 24
fn another_thread_may_wait_when_no_descriptor_is_left(rig: &Rig) {
    let (near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    rig.assert_quiet(key);
    let before = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: Some(200), ..before }).unwrap();
    let hogs: Vec<_> = std::iter::from_fn(|| near.try_clone().ok()).collect();
    for _ in 0..3 {
        let poller = Arc::clone(&rig.poller);
        let waits = thread::spawn(move || {
            let mut events = Vec::new();
            while events.is_empty() {
                poller.wait(&mut events, Some(LIMIT)).unwrap();
            }
            events
        });
        far.write_all(b"a").unwrap();
        let events = waits.join().unwrap();
        assert_eq!(events, [Event::Ready { key, readiness: Readiness::READABLE }]);
        rig.arm(&near, key, Interest::READABLE);
        assert!(rig.ready(key).is_readable());
        (&near).read_exact(&mut [0]).unwrap();
        rig.arm(&near, key, Interest::READABLE);
    }
    drop(hogs);
    setrlimit(Resource::Nofile, before).unwrap();
    rig.delete(&near, key);
}
