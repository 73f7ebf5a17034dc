//! The mode `Edge`, where a backend has it; elsewhere it is refused.

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;

use interloop_backends::{Interest, Mode, Readiness};

use crate::rig::{Rig, pair, pipe};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 10] = claims![claim:
    an_edge_is_reported_without_arming_again,
    more_data_on_top_of_data_is_an_edge,
    what_was_true_before_the_arming_is_an_edge,
    nothing_new_is_no_edge,
    room_after_a_full_buffer_is_an_edge,
    an_end_behind_the_last_byte_is_an_edge,
    an_end_that_is_there_already_is_told_with_the_data,
    a_widened_interest_is_reported_for_what_is_true,
    an_edge_registration_can_be_armed_once_and_the_other_way_round,
    an_edge_registration_that_is_gone_is_silent,
];

fn both() -> Interest {
    Interest::READABLE | Interest::WRITABLE
}

fn drain(mut from: impl Read) -> bool {
    let mut bytes = [0; 4096];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            Err(error) => panic!("{error}"),
        }
    }
}

fn an_edge_is_reported_without_arming_again(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_edge(&near, Interest::READABLE) else { return };
    for _ in 0..100 {
        far.write_all(b"a").unwrap();
        assert!(rig.ready(key).is_readable());
        assert!(!drain(&near));
    }
    rig.delete(&near, key);
}

fn more_data_on_top_of_data_is_an_edge(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_edge(&near, Interest::READABLE) else { return };
    for _ in 0..10 {
        far.write_all(b"a").unwrap();
        assert!(rig.ready(key).is_readable());
    }
    rig.delete(&near, key);
}

fn what_was_true_before_the_arming_is_an_edge(rig: &Rig) {
    let (near, mut far) = pair();
    far.write_all(b"a").unwrap();
    let Some(key) = rig.add_edge(&near, both()) else { return };
    let mut seen = Readiness::NONE;
    while !(seen.is_readable() && seen.is_writable()) {
        seen |= rig.ready(key);
    }
    rig.delete(&near, key);
}

fn nothing_new_is_no_edge(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_edge(&near, Interest::READABLE) else { return };
    rig.assert_quiet(key);
    far.write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
    rig.assert_quiet(key);
    rig.delete(&near, key);
}

fn room_after_a_full_buffer_is_an_edge(rig: &Rig) {
    let (mut near, far) = pair();
    let Some(key) = rig.add_edge(&near, Interest::WRITABLE) else { return };
    for _ in 0..3 {
        while near.write(&[0; 4096]).is_ok() {}
        // What was reported before the buffer was full.
        while rig.try_ready(key).is_some() {}
        drain(&far);
        assert!(rig.ready(key).is_writable());
    }
    rig.delete(&near, key);
}

// 51
fn an_end_behind_the_last_byte_is_an_edge(rig: &Rig) {
    let (mut near, mut far) = pair();
    let Some(key) = rig.add_edge(&near, Interest::READABLE) else { return };
    far.write_all(b"abcd").unwrap();
    assert!(rig.ready(key).is_readable());
    // The buffer is just full: nobody can tell whether there is more.
    assert_eq!(near.read(&mut [0; 4]).unwrap(), 4);
    far.shutdown(Shutdown::Write).unwrap();
    assert!(rig.ready(key).is_readable());
    assert!(drain(&near));
    rig.delete(&near, key);

    let (read, write) = pipe();
    let Some(key) = rig.add_edge(&read, Interest::READABLE) else { return };
    drop(write);
    assert!(rig.ready(key).is_readable());
    rig.delete(&read, key);
}

fn a_widened_interest_is_reported_for_what_is_true(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_edge(&near, Interest::READABLE) else { return };
    rig.assert_quiet(key);
    rig.poller.modify(as_fd(&near), key, both(), Mode::Edge).unwrap();
    assert!(rig.ready(key).is_writable());
    far.write_all(b"a").unwrap();
    while !rig.ready(key).is_readable() {}
    rig.delete(&near, key);
}

fn an_edge_registration_can_be_armed_once_and_the_other_way_round(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_edge(&near, Interest::READABLE) else { return };
    far.write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
    rig.arm(&near, key, Interest::READABLE);
    assert!(rig.ready(key).is_readable());
    far.write_all(b"a").unwrap();
    rig.assert_quiet(key);
    rig.poller.modify(as_fd(&near), key, Interest::READABLE, Mode::Edge).unwrap();
    assert!(rig.ready(key).is_readable());
    far.write_all(b"a").unwrap();
    assert!(rig.ready(key).is_readable());
    rig.poller.modify(as_fd(&near), key, Interest::NONE, Mode::Edge).unwrap();
    drop(far);
    rig.assert_quiet(key);
    rig.delete(&near, key);
}

fn an_edge_registration_that_is_gone_is_silent(rig: &Rig) {
    let (near, mut far) = pair();
    let Some(key) = rig.add_edge(&near, Interest::READABLE) else { return };
    rig.delete(&near, key);
    far.write_all(b"a").unwrap();
    rig.assert_quiet(key);
    let second = rig.add_edge(&near, Interest::READABLE).unwrap();
    assert!(rig.ready(second).is_readable());
    rig.assert_quiet(key);
    rig.delete(&near, second);
}

fn as_fd(of: &impl std::os::fd::AsFd) -> std::os::fd::BorrowedFd<'_> {
    of.as_fd()
}

// A short read is followed by an event only where the end was told with the data.
fn an_end_that_is_there_already_is_told_with_the_data(rig: &Rig) {
    if !rig.poller.tells_ends() {
        return;
    }
    let interests = [Interest::READABLE, Interest::READABLE | Interest::WRITABLE];
    for interest in interests.into_iter().cycle().take(100) {
        let (near, mut far) = pair();
        far.write_all(b"ab").unwrap();
        far.shutdown(Shutdown::Write).unwrap();
        let key = rig.add_edge(&near, interest).expect("who tells ends has edges");
        assert!(rig.ready(key).is_closed());
        rig.delete(&near, key);

        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let far = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (near, _) = listener.accept().unwrap();
        (&far).write_all(b"ab").unwrap();
        drop(far);
        let key = rig.add_edge(&near, interest).expect("who tells ends has edges");
        while !rig.ready(key).is_closed() {}
        rig.delete(&near, key);
    }
}
