//! The mode `Level`, where a backend has it; elsewhere it is refused.

use std::io::{Read, Write};

use interloop_backends::{Interest, Mode};

use crate::rig::{Rig, pair};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 7] = claims![claim:
    a_level_is_reported_by_every_wait_as_long_as_it_is_true,
    a_level_comes_back_without_arming_again,
    a_level_that_is_disarmed_is_silent_even_when_it_hangs_up,
    a_level_that_hangs_up_is_reported_until_it_is_disarmed,
    a_level_can_be_armed_once_and_the_other_way_round,
    a_widened_level_reports_both,
    nobody_starves_behind_levels_that_stay_true,
];

fn a_level_is_reported_by_every_wait_as_long_as_it_is_true(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_level(&near, Interest::READABLE) else { return };
    rig.assert_quiet(key);
    far.write_all(b"ab").unwrap();
    for _ in 0..10 {
        assert!(rig.ready(key).is_readable());
    }
    assert_eq!((&near).read(&mut [0; 8]).unwrap(), 2);
    rig.assert_quiet(key);
    rig.delete(&near, key);
}

fn a_level_comes_back_without_arming_again(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_level(&near, Interest::READABLE) else { return };
    for _ in 0..100 {
        far.write_all(b"a").unwrap();
        assert!(rig.ready(key).is_readable());
        assert_eq!((&near).read(&mut [0; 8]).unwrap(), 1);
    }
    rig.assert_quiet(key);
    rig.delete(&near, key);
}

fn a_level_that_is_disarmed_is_silent_even_when_it_hangs_up(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_level(&near, Interest::READABLE) else { return };
    far.write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
    rig.poller.modify(as_fd(&near), key, Interest::NONE, Mode::Level).unwrap();
    drop(far);
    rig.assert_quiet(key);
    rig.delete(&near, key);
}

fn a_level_that_hangs_up_is_reported_until_it_is_disarmed(rig: &Rig) {
    let (near, far) = pair();
    let Some(key) = rig.add_level(&near, Interest::READABLE) else { return };
    drop(far);
    for _ in 0..3 {
        assert!(rig.ready(key).is_readable());
    }
    rig.arm(&near, key, Interest::NONE);
    rig.assert_quiet(key);
    rig.delete(&near, key);
}

fn a_level_can_be_armed_once_and_the_other_way_round(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_level(&near, Interest::READABLE) else { return };
    far.write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
    rig.arm(&near, key, Interest::READABLE);
    assert!(rig.ready(key).is_readable());
    rig.assert_quiet(key);
    rig.poller.modify(as_fd(&near), key, Interest::READABLE, Mode::Level).unwrap();
    for _ in 0..3 {
        assert!(rig.ready(key).is_readable());
    }
    if rig.poller.has_edges() {
        rig.poller.modify(as_fd(&near), key, Interest::READABLE, Mode::Edge).unwrap();
        assert!(rig.ready(key).is_readable());
        rig.assert_quiet(key);
        rig.poller.modify(as_fd(&near), key, Interest::READABLE, Mode::Level).unwrap();
        assert!(rig.ready(key).is_readable());
        assert!(rig.ready(key).is_readable());
    }
    rig.delete(&near, key);
}

fn a_widened_level_reports_both(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_level(&near, Interest::READABLE) else { return };
    let both = Interest::READABLE | Interest::WRITABLE;
    rig.poller.modify(as_fd(&near), key, both, Mode::Level).unwrap();
    assert!(rig.ready(key).is_writable());
    far.write_all(b"a").unwrap();
    while !rig.ready(key).is_readable() {}
    while !rig.ready(key).is_writable() {}
    rig.delete(&near, key);
}

/// More than one wait may report.
fn nobody_starves_behind_levels_that_stay_true(rig: &Rig) {
    let pairs: Vec<_> = (0..1500).map(|_| pair()).collect();
    let mut keys = Vec::new();
    for (near, _) in &pairs {
        let Some(key) = rig.add_level(near, Interest::WRITABLE) else { return };
        keys.push(key);
    }
    for key in &keys {
        assert!(rig.ready(*key).is_writable());
    }
    for ((near, _), key) in pairs.iter().zip(keys) {
        rig.delete(near, key);
    }
}

fn as_fd(of: &impl std::os::fd::AsFd) -> std::os::fd::BorrowedFd<'_> {
    of.as_fd()
}
