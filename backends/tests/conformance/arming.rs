//! Armed once, reported once.

use std::io::{Read, Write};

use interloop_backends::{Interest, Readiness};

use crate::rig::{Rig, pair};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 8] = claims![claim:
    an_armed_source_fires_once_until_it_is_armed_again,
    data_that_is_still_there_fires_again,
    read_and_write_interests_are_independent,
    arming_one_interest_does_not_lose_the_other,
    one_arming_is_reported_once_whatever_is_ready,
    the_last_arming_counts,
    a_disarmed_source_is_silent_even_when_it_hangs_up,
    nothing_is_reported_of_a_source_that_is_not_ready,
];

fn both() -> Interest {
    Interest::READABLE | Interest::WRITABLE
}

// 13
fn an_armed_source_fires_once_until_it_is_armed_again(rig: &Rig) {
    let (near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    far.write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
    far.write_all(b"b").unwrap();
    rig.assert_quiet(key);
    rig.arm(&near, key, Interest::READABLE);
    assert!(rig.ready(key).is_readable());
    rig.delete(&near, key);
}

// 13
fn data_that_is_still_there_fires_again(rig: &Rig) {
    let (mut near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    far.write_all(b"ab").unwrap();
    for _ in 0..3 {
        assert!(rig.ready(key).is_readable());
        rig.arm(&near, key, Interest::READABLE);
    }
    assert!(rig.ready(key).is_readable());
    assert_eq!(near.read(&mut [0; 8]).unwrap(), 2);
    rig.arm(&near, key, Interest::READABLE);
    rig.assert_quiet(key);
    rig.delete(&near, key);
}

// 14
fn read_and_write_interests_are_independent(rig: &Rig) {
    let (near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    rig.assert_quiet(key);
    rig.arm(&near, key, Interest::WRITABLE);
    assert_eq!(rig.ready(key), Readiness::WRITABLE);
    far.write_all(b"a").unwrap();
    rig.arm(&near, key, Interest::WRITABLE);
    assert_eq!(rig.ready(key), Readiness::WRITABLE);
    rig.arm(&near, key, Interest::READABLE);
    assert_eq!(rig.ready(key), Readiness::READABLE);
    rig.delete(&near, key);
}

// 14
fn arming_one_interest_does_not_lose_the_other(rig: &Rig) {
    let (near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    rig.arm(&near, key, both());
    assert_eq!(rig.ready(key), Readiness::WRITABLE);
    rig.arm(&near, key, Interest::READABLE);
    rig.assert_quiet(key);
    far.write_all(b"a").unwrap();
    assert_eq!(rig.ready(key), Readiness::READABLE);
    // Both are true: they are said in one event, or in two of two armings.
    rig.arm(&near, key, both());
    let mut missing = both();
    while !missing.is_none() {
        missing = missing.without(rig.ready(key).answers(missing));
        rig.arm(&near, key, missing);
    }
    rig.delete(&near, key);
}

// 13
fn one_arming_is_reported_once_whatever_is_ready(rig: &Rig) {
    let (mut near, mut far) = pair();
    let key = rig.add(&near, both());
    for _ in 0..10 {
        // First the one becomes ready and then the other,
        assert_eq!(rig.ready(key), Readiness::WRITABLE);
        far.write_all(b"a").unwrap();
        rig.assert_quiet(key);
        // and then both are ready at once.
        rig.arm(&near, key, both());
        rig.ready(key);
        rig.assert_quiet(key);
        near.read_exact(&mut [0]).unwrap();
        rig.arm(&near, key, both());
    }
    rig.delete(&near, key);
}

// 13
fn the_last_arming_counts(rig: &Rig) {
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    let key = rig.add(&near, both());
    rig.arm(&near, key, Interest::NONE);
    rig.arm(&near, key, Interest::READABLE);
    rig.arm(&near, key, Interest::WRITABLE);
    assert_eq!(rig.ready(key), Readiness::WRITABLE);
    rig.assert_quiet(key);
    rig.delete(&near, key);
}

// 13
fn a_disarmed_source_is_silent_even_when_it_hangs_up(rig: &Rig) {
    let (near, far) = pair();
    let (other, other_far) = pair();
    let key = rig.add(&near, Interest::NONE);
    let disarmed = rig.add(&other, Interest::READABLE);
    rig.arm(&other, disarmed, Interest::NONE);
    drop((far, other_far));
    rig.assert_quiet(key);
    rig.assert_quiet(disarmed);
    rig.arm(&near, key, Interest::READABLE);
    rig.arm(&other, disarmed, Interest::READABLE);
    assert!(rig.ready(key).is_closed());
    assert!(rig.ready(disarmed).is_closed());
    rig.delete(&near, key);
    rig.delete(&other, disarmed);
}

fn nothing_is_reported_of_a_source_that_is_not_ready(rig: &Rig) {
    let (near, _far) = pair();
    let (ready, mut ready_far) = pair();
    let idle = rig.add(&near, Interest::READABLE);
    let key = rig.add(&ready, Interest::READABLE);
    ready_far.write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
    rig.assert_quiet(idle);
    rig.delete(&near, idle);
    rig.delete(&ready, key);
}
