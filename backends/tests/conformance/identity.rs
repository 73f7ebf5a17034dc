//! Which registration an event belongs to: deletions, numbers used again, duplicates, and
//! descriptors that were closed behind our back.
#![allow(unsafe_code)]

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use interloop_backends::{BackendKind, Event, Interest, Kept, Mode, Readiness, Release};
use rustix::io::{close, fcntl_dupfd_cloexec};

use crate::rig::{LIMIT, Rig, pair};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 6] = claims![claim:
    a_deleted_source_is_silent,
    a_released_object_is_closed_by_its_end,
    a_deletion_is_released_once,
    a_descriptor_may_be_registered_again_at_once,
    duplicates_of_one_object_do_not_disturb_each_other,
    the_same_descriptor_twice_is_refused_and_the_first_goes_on,
];

pub(crate) const CLAIMS_ALONE: [Claim; 7] = claims![claim_alone:
    a_number_used_again_gets_no_stale_event,
    a_descriptor_closed_behind_our_back_costs_itself_only,
    many_descriptors_closed_behind_our_back_are_all_reported,
    a_number_closed_behind_our_back_is_not_taken_over,
    a_duplicate_may_have_the_number_that_was_closed_behind_our_back,
    the_alarm_does_not_take_a_number_that_was_closed_behind_our_back,
    a_renewed_set_reports_what_it_keeps_and_nothing_else,
];

// 16
fn a_deleted_source_is_silent(rig: &Rig) {
    let (near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    far.write_all(b"a").unwrap();
    rig.delete(&near, key);
    rig.assert_quiet(key);
}

// 16
fn a_released_object_is_closed_by_its_end(rig: &Rig) {
    for mode in [Mode::Oneshot, Mode::Edge] {
        if mode == Mode::Edge && !rig.poller.has_edges() {
            continue;
        }
        let (near, mut far) = pair();
        far.set_nonblocking(false).unwrap();
        far.set_read_timeout(Some(LIMIT)).unwrap();
        let key = rig.new_key();
        rig.poller.add(near.as_fd(), key, Interest::READABLE, mode).unwrap();
        rig.assert_quiet(key);
        if rig.poller.delete(near.as_fd(), key) == Release::Later {
            rig.assert_quiet(key);
        }
        drop(near);
        // Its peer hears of it, and not only when somebody waits again.
        assert_eq!(far.read(&mut [0]).unwrap(), 0, "{mode:?}");
    }
}

// 16
fn a_deletion_is_released_once(rig: &Rig) {
    let (near, _far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    let mut released = usize::from(rig.poller.delete(near.as_fd(), key) == Release::Now);
    let mut events = Vec::new();
    // Where it comes later, it comes with the very next wait, which does not block.
    if released == 0 {
        rig.poller.wait(&mut events, Some(LIMIT)).unwrap();
    }
    rig.poller.wait(&mut events, Some(std::time::Duration::ZERO)).unwrap();
    released += events.iter().filter(|event| **event == Event::Released { key }).count();
    assert_eq!((released, events.len() <= 1), (1, true), "{events:?}");
}

// 17
fn a_descriptor_may_be_registered_again_at_once(rig: &Rig) {
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    let mut old = rig.add(&near, Interest::READABLE);
    for _ in 0..10 {
        let _ = rig.poller.delete(near.as_fd(), old);
        let new = rig.add(&near, Interest::READABLE);
        assert!(rig.ready(new).is_readable());
        rig.assert_quiet(old);
        old = new;
    }
    rig.delete(&near, old);
}

// 26
fn duplicates_of_one_object_do_not_disturb_each_other(rig: &Rig) {
    let (near, mut far) = pair();
    let duplicate = near.try_clone().unwrap();
    let reader = rig.add(&near, Interest::READABLE);
    let writer = rig.add(&duplicate, Interest::WRITABLE);
    assert_eq!(rig.ready(writer), Readiness::WRITABLE);
    rig.assert_quiet(reader);
    far.write_all(b"a").unwrap();
    assert_eq!(rig.ready(reader), Readiness::READABLE);
    rig.assert_quiet(writer);
    rig.delete(&near, reader);
    drop(near);
    rig.arm(&duplicate, writer, Interest::READABLE);
    assert_eq!(rig.ready(writer), Readiness::READABLE);
    rig.assert_quiet(reader);
    rig.delete(&duplicate, writer);
}

// 26
fn the_same_descriptor_twice_is_refused_and_the_first_goes_on(rig: &Rig) {
    let (near, mut far) = pair();
    let first = rig.add(&near, Interest::READABLE);
    let second = rig.new_key();
    let error =
        rig.poller.add(near.as_fd(), second, Interest::WRITABLE, Mode::Oneshot).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let expected =
        format!("{} backend: fd {} is already registered;", rig.kind(), near.as_raw_fd());
    assert!(error.to_string().starts_with(&expected), "{error}");
    rig.assert_quiet(second);
    far.write_all(b"a").unwrap();
    assert_eq!(rig.ready(first), Readiness::READABLE);
    rig.delete(&near, first);
    let again = rig.add(&near, Interest::READABLE);
    assert!(rig.ready(again).is_readable());
    rig.delete(&near, again);
}

// 17
fn a_number_used_again_gets_no_stale_event(rig: &Rig) {
    for _ in 0..50 {
        let (old, mut old_far) = pair();
        let number = old.as_raw_fd();
        let old_key = rig.add(&old, Interest::READABLE);
        old_far.write_all(b"a").unwrap();
        rig.delete(&old, old_key);
        let (new, mut new_far) = pair();
        drop(old);
        let new = fcntl_dupfd_cloexec(&new, number).unwrap();
        assert_eq!(new.as_raw_fd(), number);
        let new_key = rig.add(&new, Interest::READABLE);
        rig.assert_quiet(new_key);
        new_far.write_all(b"b").unwrap();
        assert!(rig.ready(new_key).is_readable());
        rig.assert_quiet(old_key);
        rig.delete(&new, new_key);
    }
}

/// Closes it under the feet of whoever uses it. The number is left free.
fn close_behind_our_back(source: OwnedFd) -> BorrowedFd<'static> {
    let number = source.as_raw_fd();
    std::mem::forget(source);
    // SAFETY: the process is this trial's own, and nothing else uses the number. That the backend
    // does is what the trial is about.
    unsafe {
        close(number);
        BorrowedFd::borrow_raw(number)
    }
}

/// How a descriptor that was closed behind our back is found out.
#[derive(PartialEq)]
enum Closed {
    /// It is reported.
    Reported,
    /// It is reported when it is armed again.
    ReportedWhenArmed,
    /// It cannot be armed again.
    Refused,
}

fn closed(rig: &Rig) -> Closed {
    match rig.kind() {
        BackendKind::Poll | BackendKind::Select => Closed::Reported,
        BackendKind::IoUring => Closed::ReportedWhenArmed,
        _ => Closed::Refused,
    }
}

// 18
fn a_descriptor_closed_behind_our_back_costs_itself_only(rig: &Rig) {
    let (gone, _gone_far) = pair();
    let (near, mut far) = pair();
    let gone_key = rig.add(&gone, Interest::READABLE);
    let key = rig.add(&near, Interest::READABLE);
    let gone = close_behind_our_back(gone.into());
    far.write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
    if closed(rig) != Closed::Refused {
        // Nothing has waited between its arming and its end.
        rig.arm(&near, key, Interest::READABLE);
        assert!(rig.ready(gone_key).is_invalid());
    }
    rig.assert_quiet(gone_key);
    if closed(rig) == Closed::Refused {
        rig.poller.modify(gone, gone_key, Interest::READABLE, Mode::Oneshot).unwrap_err();
    } else {
        // Who arms it again hears it again.
        rig.arm(&gone, gone_key, Interest::READABLE);
        assert!(rig.ready(gone_key).is_invalid());
        rig.assert_quiet(gone_key);
    }
    rig.arm(&near, key, Interest::READABLE);
    assert!(rig.ready(key).is_readable());
    rig.delete(&gone, gone_key);
    rig.arm(&near, key, Interest::READABLE);
    assert!(rig.ready(key).is_readable());
    rig.delete(&near, key);
}

// 18
fn many_descriptors_closed_behind_our_back_are_all_reported(rig: &Rig) {
    let pairs: Vec<_> = (0..100).map(|_| pair()).collect();
    let (mut near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    let registered = pairs.into_iter().map(|(near, far)| {
        let key = rig.add(&near, Interest::READABLE);
        (close_behind_our_back(near.into()), far, key)
    });
    let registered: Vec<_> = registered.collect();
    for (gone, _far, gone_key) in &registered {
        match closed(rig) {
            Closed::Reported => assert!(rig.ready(*gone_key).is_invalid()),
            Closed::ReportedWhenArmed => {
                rig.arm(gone, *gone_key, Interest::READABLE);
                assert!(rig.ready(*gone_key).is_invalid());
            }
            Closed::Refused => {
                let modify =
                    |interest| rig.poller.modify(*gone, *gone_key, interest, Mode::Oneshot);
                modify(Interest::READABLE).unwrap_err();
            }
        }
        far.write_all(b"a").unwrap();
        assert!(rig.ready(key).is_readable());
        near.read_exact(&mut [0]).unwrap();
        rig.arm(&near, key, Interest::READABLE);
    }
    for (gone, _far, gone_key) in &registered {
        rig.delete(gone, *gone_key);
    }
    rig.delete(&near, key);
}

// 17, 18
fn a_number_closed_behind_our_back_is_not_taken_over(rig: &Rig) {
    let (old, _old_far) = pair();
    let old_key = rig.add(&old, Interest::READABLE);
    let number = old.as_raw_fd();
    let (new, mut new_far) = pair();
    let old = close_behind_our_back(old.into());
    let new = fcntl_dupfd_cloexec(&new, number).unwrap();
    assert_eq!(new.as_raw_fd(), number);
    if closed(rig) == Closed::Refused && rig.kind() != BackendKind::Kqueue {
        // epoll knows that the number is another object's.
        let error = rig.poller.modify(old, old_key, Interest::READABLE, Mode::Oneshot).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }
    // The error says the way out: the old source has to go first.
    let new_key = rig.new_key();
    let error =
        rig.poller.add(new.as_fd(), new_key, Interest::READABLE, Mode::Oneshot).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    assert!(error.to_string().contains("drop its source first"), "{error}");
    rig.delete(&old, old_key);
    rig.poller.add(new.as_fd(), new_key, Interest::READABLE, Mode::Oneshot).unwrap();
    new_far.write_all(b"a").unwrap();
    assert!(rig.ready(new_key).is_readable());
    rig.delete(&new, new_key);
}

// 17, 18
fn a_duplicate_may_have_the_number_that_was_closed_behind_our_back(rig: &Rig) {
    let (near, mut far) = pair();
    let (number, duplicate) = (near.as_raw_fd(), near.try_clone().unwrap());
    let old_key = rig.add(&near, Interest::READABLE);
    let gone = close_behind_our_back(near.into());
    rig.delete(&gone, old_key);
    let near = fcntl_dupfd_cloexec(&duplicate, number).unwrap();
    assert_eq!(near.as_raw_fd(), number);
    let key = rig.add(&near, Interest::READABLE);
    rig.assert_quiet(key);
    far.write_all(b"a").unwrap();
    assert_eq!(rig.ready(key), Readiness::READABLE);
    rig.assert_quiet(old_key);
    rig.delete(&near, key);
}

// 17, 18
fn the_alarm_does_not_take_a_number_that_was_closed_behind_our_back(rig: &Rig) {
    if rig.poller.descriptor().is_none() {
        return;
    }
    let pairs: Vec<_> = (0..3).map(|_| pair()).collect();
    let closed = pairs.into_iter().map(|(near, far)| {
        let key = rig.add(&near, Interest::READABLE);
        (close_behind_our_back(near.into()), key, far)
    });
    let closed: Vec<_> = closed.collect();
    rig.poller.set_alarm(None).unwrap();
    for (gone, key, _) in &closed {
        rig.poller.modify(*gone, *key, Interest::READABLE, Mode::Oneshot).unwrap_err();
    }
    rig.poller.set_alarm(Some(LIMIT / 1000)).unwrap();
    let mut events = Vec::new();
    rig.poller.wait(&mut events, None).unwrap();
    assert_eq!(events, []);
    closed.iter().for_each(|(gone, key, _)| rig.delete(gone, *key));
}

// 8, 18
fn a_renewed_set_reports_what_it_keeps_and_nothing_else(rig: &Rig) {
    if !rig.poller.keeps_closed() {
        assert!(!rig.poller.is_stuck());
        return;
    }
    let readable = |source, key, mode| Kept { source, key, interest: Interest::READABLE, mode };
    let (ghost, mut ghost_far) = pair();
    let _duplicate = ghost.try_clone().unwrap();
    let ghost_key = rig.add_level(&ghost, Interest::READABLE).unwrap();
    let (level, mut level_far) = pair();
    let level_key = rig.add_level(&level, Interest::READABLE).unwrap();
    let (once, mut once_far) = pair();
    let once_key = rig.add(&once, Interest::READABLE);
    let (edge, mut edge_far) = pair();
    let edge_key = rig.add_edge(&edge, Interest::READABLE).unwrap();
    let (silent, mut silent_far) = pair();
    let silent_key = rig.add(&silent, Interest::NONE);
    rig.poller.set_alarm(None).unwrap();
    assert!(!rig.poller.is_stuck());
    let ghost = close_behind_our_back(ghost.into());
    for far in [&mut ghost_far, &mut level_far, &mut silent_far] {
        far.write_all(b"a").unwrap();
    }
    rig.delete(&ghost, ghost_key);
    assert!(rig.poller.is_stuck());
    // The kernel reports it for ever.
    (0..3).for_each(|_| assert!(rig.ready(ghost_key).is_readable()));
    let number = rig.poller.descriptor().unwrap().as_raw_fd();
    let kept = [
        readable(level.as_fd(), level_key, Mode::Level),
        readable(once.as_fd(), once_key, Mode::Oneshot),
        readable(edge.as_fd(), edge_key, Mode::Edge),
        Kept {
            source: silent.as_fd(),
            key: silent_key,
            interest: Interest::NONE,
            mode: Mode::Level,
        },
    ];
    let mut refused = Vec::new();
    rig.poller.renew(&kept, &mut refused).unwrap();
    assert!(!rig.poller.is_stuck() && refused.is_empty());
    assert_eq!(rig.poller.descriptor().unwrap().as_raw_fd(), number);
    while rig.try_ready(ghost_key).is_some() {}
    (0..3).for_each(|_| assert!(rig.ready(level_key).is_readable()));
    rig.arm(&level, level_key, Interest::NONE);
    for (far, key) in [(&mut once_far, once_key), (&mut edge_far, edge_key)] {
        rig.assert_quiet(key);
        far.write_all(b"a").unwrap();
        assert!(rig.ready(key).is_readable());
        rig.assert_quiet(key);
    }
    edge_far.write_all(b"a").unwrap();
    assert!(rig.ready(edge_key).is_readable());
    rig.arm(&silent, silent_key, Interest::READABLE);
    assert!(rig.ready(silent_key).is_readable());
    rig.assert_quiet(ghost_key);
    // The notifier and the alarm are in it.
    for end in
        [|rig: &Rig| rig.poller.notify(), |rig: &Rig| rig.poller.set_alarm(Some(LIMIT / 1000))]
    {
        end(rig).unwrap();
        rig.poller.wait(&mut Vec::new(), None).unwrap();
    }
    for (source, key) in
        [(level, level_key), (once, once_key), (edge, edge_key), (silent, silent_key)]
    {
        rig.delete(&source, key);
    }
    assert!(!rig.poller.is_stuck());
}
