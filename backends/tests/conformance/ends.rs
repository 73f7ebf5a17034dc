//! Hang-ups, half-closes, errors and connects.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::OwnedFd;

use interloop_backends::{BackendKind, Interest, Readiness};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddr, SocketType, connect, socket, sockopt};

use crate::rig::{Rig, pair, pipe};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 9] = claims![claim:
    a_hang_up_arrives,
    a_half_close_arrives,
    a_half_close_is_nothing_to_who_waits_for_room,
    an_end_behind_data_leaves_the_data,
    a_reset_connection_arrives,
    a_pipe_without_readers_is_writable_and_fails,
    a_pipe_without_writers_is_readable_and_ends,
    a_connect_that_fails_is_writable_with_an_error,
    a_connect_that_succeeds_is_writable_without_an_error,
];

// 15
fn a_hang_up_arrives(rig: &Rig) {
    for interest in [Interest::READABLE, Interest::WRITABLE] {
        let (near, far) = pair();
        let key = rig.add(&near, Interest::READABLE);
        drop(far);
        rig.arm(&near, key, interest);
        let readiness = rig.ready(key);
        assert_eq!(readiness.answers(interest), interest, "{readiness:?}");
        assert!(readiness.is_closed(), "{readiness:?}");
        rig.delete(&near, key);
    }
}

// 15
fn a_half_close_arrives(rig: &Rig) {
    let (mut near, far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    far.shutdown(Shutdown::Write).unwrap();
    let readiness = rig.ready(key);
    assert!(readiness.contains(Readiness::READABLE), "{readiness:?}");
    // The crate polling does not ask for it.
    if rig.kind() != BackendKind::Polling {
        assert!(readiness.contains(Readiness::READ_CLOSED), "{readiness:?}");
    }
    assert!(!readiness.contains(Readiness::HANG_UP), "{readiness:?}");
    assert_eq!(near.read(&mut [0; 8]).unwrap(), 0);
    rig.arm(&near, key, Interest::WRITABLE);
    assert!(rig.ready(key).is_writable());
    near.write_all(b"still").unwrap();
    rig.delete(&near, key);
}

// 15
fn a_half_close_is_nothing_to_who_waits_for_room(rig: &Rig) {
    for level in [false, true] {
        if level && !rig.poller.has_levels() {
            continue;
        }
        let (mut near, mut far) = pair();
        while near.write(&[0; 4096]).is_ok() {}
        far.shutdown(Shutdown::Write).unwrap();
        let key = if level {
            rig.add_level(&near, Interest::WRITABLE).unwrap()
        } else {
            rig.add(&near, Interest::WRITABLE)
        };
        rig.assert_quiet(key);
        while far.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {}
        let readiness = rig.ready(key);
        assert!(readiness.is_writable(), "{readiness:?}");
        if level {
            // By level as before.
            assert!(rig.ready(key).is_writable());
        } else {
            rig.assert_quiet(key);
        }
        rig.delete(&near, key);
    }
}

// 15, 51
fn an_end_behind_data_leaves_the_data(rig: &Rig) {
    let (mut near, mut far) = pair();
    let key = rig.add(&near, Interest::READABLE);
    far.write_all(b"last").unwrap();
    drop(far);
    assert!(rig.ready(key).contains(Readiness::READABLE));
    assert_eq!(near.read(&mut [0; 4]).unwrap(), 4);
    rig.arm(&near, key, Interest::READABLE);
    assert!(rig.ready(key).is_readable());
    assert_eq!(near.read(&mut [0; 4]).unwrap(), 0);
    rig.delete(&near, key);
}

// 15
fn a_reset_connection_arrives(rig: &Rig) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    let key = rig.add(&near, Interest::READABLE);
    sockopt::set_socket_linger(&far, Some(std::time::Duration::ZERO)).unwrap();
    drop(far);
    let readiness = rig.ready(key);
    assert!(readiness.is_readable() && readiness.is_closed(), "{readiness:?}");
    let result = near.read(&mut [0; 8]).map_err(|error| error.kind());
    assert_eq!(result, if takes_errors(rig) { Ok(0) } else { Err(ErrorKind::ConnectionReset) });
    rig.delete(&near, key);
}

// 15
fn a_pipe_without_readers_is_writable_and_fails(rig: &Rig) {
    let (read, write) = pipe();
    let key = rig.add(&write, Interest::WRITABLE);
    assert_eq!(rig.ready(key), Readiness::WRITABLE);
    drop(read);
    rig.arm(&write, key, Interest::WRITABLE);
    let readiness = rig.ready(key);
    assert!(readiness.is_writable() && readiness.is_error(), "{readiness:?}");
    rig.delete(&write, key);
}

// 15
fn a_pipe_without_writers_is_readable_and_ends(rig: &Rig) {
    let (mut read, write) = pipe();
    let key = rig.add(&read, Interest::READABLE);
    rig.assert_quiet(key);
    drop(write);
    let readiness = rig.ready(key);
    assert!(readiness.is_readable() && readiness.is_closed(), "{readiness:?}");
    assert_eq!(read.read(&mut [0; 8]).unwrap(), 0);
    rig.delete(&read, key);
}

// 15
fn a_connect_that_fails_is_writable_with_an_error(rig: &Rig) {
    // Nobody listens on a port that is bound and not listened on.
    let taken = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::net::bind(&taken, &"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap()).unwrap();
    let address = rustix::net::getsockname(&taken).unwrap();
    let socket = start_connect(&SocketAddr::try_from(address).unwrap());
    let key = rig.add(&socket, Interest::WRITABLE);
    let readiness = rig.ready(key);
    assert!(readiness.is_writable() && readiness.is_error(), "{readiness:?}");
    assert!(readiness.contains(Readiness::WRITABLE), "{readiness:?}");
    let result = sockopt::socket_error(&socket).unwrap();
    assert_eq!(result, if takes_errors(rig) { Ok(()) } else { Err(Errno::CONNREFUSED) });
    // That it is not connected can always be seen.
    assert_eq!(rustix::net::getpeername(&socket).map(drop), Err(Errno::NOTCONN));
    rig.delete(&socket, key);
}

// 15
fn a_connect_that_succeeds_is_writable_without_an_error(rig: &Rig) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = start_connect(&listener.local_addr().unwrap());
    let key = rig.add(&socket, Interest::WRITABLE);
    assert_eq!(rig.ready(key), Readiness::WRITABLE);
    assert_eq!(sockopt::socket_error(&socket).unwrap(), Ok(()));
    rig.delete(&socket, key);
}

/// True of libkqueue: it has taken the pending error of a socket when it reports it.
fn takes_errors(rig: &Rig) -> bool {
    cfg!(target_os = "linux") && rig.kind() == BackendKind::Kqueue
}

fn start_connect(address: &SocketAddr) -> OwnedFd {
    let socket = socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    rustix::io::ioctl_fionbio(&socket, true).unwrap();
    match connect(&socket, address) {
        Ok(()) | Err(Errno::INPROGRESS) => socket,
        Err(errno) => panic!("connect: {errno}"),
    }
}
