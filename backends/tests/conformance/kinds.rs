//! Which kinds of objects are watched, and how the others are refused.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, AsRawFd};

use interloop_backends::{BackendKind, Interest, Mode, Readiness};
use rustix::fs::OFlags;
use rustix::net::SendFlags;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use crate::rig::{Rig, pipe};
use crate::suite::{Claim, claims};

pub(crate) const CLAIMS: [Claim; 8] = claims![claim:
    regular_files_and_directories_are_refused,
    dev_null_is_watched_or_refused,
    pipes_are_watched,
    listening_sockets_are_watched,
    datagram_sockets_are_watched,
    terminals_are_watched,
    urgent_data_is_priority,
    data_that_is_not_urgent_is_no_priority,
];

fn assert_refused(rig: &Rig, source: &impl AsFd, what: &str) {
    let error = rig
        .poller
        .add(source.as_fd(), rig.new_key(), Interest::READABLE, Mode::Oneshot)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let (kind, number) = (rig.kind(), source.as_fd().as_raw_fd());
    let start = format!("{kind} backend: fd {number} is {what}, which is always ready and cannot");
    assert!(error.to_string().starts_with(&start), "{error}");
}

// 25
fn regular_files_and_directories_are_refused(rig: &Rig) {
    let file = File::open(std::env::current_exe().unwrap()).unwrap();
    assert_refused(rig, &file, "a regular file");
    // What was refused is not registered.
    assert_refused(rig, &file, "a regular file");
    assert_refused(rig, &File::open("/").unwrap(), "a directory");
}

// 25
fn dev_null_is_watched_or_refused(rig: &Rig) {
    let null = File::options().read(true).write(true).open("/dev/null").unwrap();
    if matches!(rig.kind(), BackendKind::Poll | BackendKind::Select | BackendKind::IoUring) {
        let key = rig.add(&null, Interest::READABLE | Interest::WRITABLE);
        assert!(rig.ready(key).contains(Readiness::READABLE | Readiness::WRITABLE));
        rig.delete(&null, key);
    } else {
        assert_refused(rig, &null, "a device that never blocks");
    }
}

// 25
fn pipes_are_watched(rig: &Rig) {
    let (mut read, mut write) = pipe();
    let reader = rig.add(&read, Interest::READABLE);
    let writer = rig.add(&write, Interest::WRITABLE);
    assert_eq!(rig.ready(writer), Readiness::WRITABLE);
    rig.assert_quiet(reader);
    write.write_all(b"a").unwrap();
    assert_eq!(rig.ready(reader), Readiness::READABLE);
    read.read_exact(&mut [0]).unwrap();
    // A full pipe is not writable.
    rustix::io::ioctl_fionbio(&write, true).unwrap();
    while write.write(&[0; 4096]).is_ok() {}
    rig.arm(&write, writer, Interest::WRITABLE);
    rig.assert_quiet(writer);
    rig.delete(&read, reader);
    rig.delete(&write, writer);
}

// 25
fn listening_sockets_are_watched(rig: &Rig) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let key = rig.add(&listener, Interest::READABLE);
    rig.assert_quiet(key);
    let _client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    assert_eq!(rig.ready(key), Readiness::READABLE);
    listener.accept().unwrap();
    rig.delete(&listener, key);
}

// 25
fn datagram_sockets_are_watched(rig: &Rig) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let key = rig.add(&socket, Interest::READABLE);
    rig.assert_quiet(key);
    socket.send_to(b"a", socket.local_addr().unwrap()).unwrap();
    assert_eq!(rig.ready(key), Readiness::READABLE);
    rig.delete(&socket, key);
}

// 25
fn terminals_are_watched(rig: &Rig) {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave =
        rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY, rustix::fs::Mode::empty()).unwrap();
    let key = rig.add(&slave, Interest::READABLE);
    rig.assert_quiet(key);
    rustix::io::write(&master, b"a line\n").unwrap();
    assert_eq!(rig.ready(key), Readiness::READABLE);
    rig.delete(&slave, key);
}

fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let far = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (near, _) = listener.accept().unwrap();
    (near, far)
}

fn urgent_data_is_priority(rig: &Rig) {
    for waits_before in [false, true] {
        let (near, far) = connected();
        let key = rig.add(&near, Interest::PRIORITY);
        if waits_before {
            rig.assert_quiet(key);
        }
        rustix::net::send(&far, b"!", SendFlags::OOB).unwrap();
        if rig.kind() == BackendKind::Kqueue {
            // It has no word for it.
            rig.assert_quiet(key);
        } else {
            assert!(rig.ready(key).contains(Readiness::PRIORITY));
        }
        rig.delete(&near, key);
    }
}

fn data_that_is_not_urgent_is_no_priority(rig: &Rig) {
    let (near, mut far) = connected();
    let urgent = rig.add(&near, Interest::PRIORITY);
    rig.assert_quiet(urgent);
    far.write_all(b"a").unwrap();
    // Nobody reads it: it is not to be reported again and again either.
    let duplicate = near.try_clone().unwrap();
    let key = rig.add(&duplicate, Interest::READABLE);
    assert!(rig.ready(key).is_readable());
    rig.assert_quiet(urgent);
    rig.delete(&near, urgent);
    rig.arm(&duplicate, key, Interest::READABLE | Interest::PRIORITY);
    assert_eq!(rig.ready(key), Readiness::READABLE);
    (&duplicate).read_exact(&mut [0]).unwrap();
    rig.arm(&duplicate, key, Interest::READABLE | Interest::PRIORITY);
    rig.assert_quiet(key);
    far.write_all(b"b").unwrap();
    assert_eq!(rig.ready(key), Readiness::READABLE);
    rig.delete(&duplicate, key);
}
