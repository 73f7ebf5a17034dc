//! How sources come, and what may be one.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek};
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use interloop::{Action, BackendKind, Handle, Interest, Readiness};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{Mode, OFlags, open};

use crate::cases;
use crate::pairs::{Heard, drain, fence, fill, pair, read, script, write};
use crate::world::World;

cases!(
    what_is_registered_twice_is_handed_back,
    a_regular_file_is_handed_back_untouched,
    kinds_of_descriptors_are_watched_or_refused,
    an_object_that_somebody_else_owns_too_stays_open,
    duplicates_of_one_description_do_not_disturb_each_other,
    a_source_without_a_callback_cannot_be_armed,
);

/// Point 6: `AlreadyExists`, the object handed back, the first registration undisturbed.
fn what_is_registered_twice_is_handed_back(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let near = Rc::new(near);
            let heard = Heard::new();
            let tell = heard.clone();
            let first = reactor.register(Rc::clone(&near), Interest::READABLE, move |io, _| {
                tell.tell(read(io));
                Action::Rearm
            });
            let first = first.unwrap();
            let captured = Rc::new(());
            let capture = Rc::clone(&captured);
            let second = reactor.register(Rc::clone(&near), Interest::READABLE, move |_, _| {
                let _held = &capture;
                panic!("it was refused")
            });
            let refused = second.expect_err("it is registered already");
            assert_eq!(refused.error.kind(), ErrorKind::AlreadyExists);
            assert!(refused.to_string().contains("already registered"), "{refused}");
            assert!(Rc::ptr_eq(&refused.io, &near));
            assert_eq!(Rc::strong_count(&captured), 1);
            let waiting = reactor.source(refused.io).expect_err("nor without a callback");
            assert_eq!(waiting.error.kind(), ErrorKind::AlreadyExists);
            write(&far, b"a");
            assert_eq!(heard.next().await, Some(b'a'));
            drop(first);
        }
    });
}

/// Point 6, behaviour 25.
fn a_regular_file_is_handed_back_untouched(world: &World) {
    let reactor = world.reactor();
    let mut file = File::open(file!()).or_else(|_| File::open("Cargo.toml")).unwrap();
    file.read_exact(&mut [0; 5]).unwrap();
    let refused = reactor.register(file, Interest::READABLE, |_, _| Action::Rearm).unwrap_err();
    assert_eq!(refused.error.kind(), ErrorKind::Unsupported);
    assert!(refused.to_string().contains("a regular file"), "{refused}");
    let mut file = refused.io;
    assert_eq!(file.stream_position().unwrap(), 5);
    file.read_exact(&mut [0; 5]).unwrap();
    assert!(reactor.dump().sources.is_empty());
}

/// Registers for reading, and waits for one event.
async fn first_event(reactor: &Handle, io: OwnedFd) -> Readiness {
    let source = reactor.source(io).unwrap();
    source.ready(Interest::READABLE).await.unwrap()
}

/// Behaviour 25: watched or refused with a clear error, the same on every backend where the kernel
/// allows it.
fn kinds_of_descriptors_are_watched_or_refused(world: &World) {
    let backend = world.backend;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let directory = open(".", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap();
            let refused = reactor.source(directory).unwrap_err();
            assert_eq!(refused.error.kind(), ErrorKind::Unsupported, "{refused}");
            assert!(refused.to_string().contains("a directory"), "{refused}");

            // The kernel's poll and select call it ready; its epoll refuses it.
            let null = open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()).unwrap();
            match reactor.source(null) {
                Ok(null) => {
                    assert!(null.ready(Interest::READABLE).await.unwrap().is_readable());
                    assert!(null.ready(Interest::WRITABLE).await.unwrap().is_writable());
                }
                Err(refused) => {
                    assert_eq!(refused.error.kind(), ErrorKind::Unsupported, "{refused}");
                    assert!(!matches!(backend, BackendKind::Poll | BackendKind::Select));
                }
            }

            let flags = EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK;
            assert!(first_event(&reactor, eventfd(1, flags).unwrap()).await.is_readable());

            let (reader, writer) = rustix::pipe::pipe().unwrap();
            let room = reactor.source(writer).unwrap();
            assert!(room.ready(Interest::WRITABLE).await.unwrap().is_writable());
            rustix::io::write(room.get_ref(), b"a").unwrap();
            assert!(first_event(&reactor, reader).await.is_readable());
            fence(&reactor).await;
            assert!(room.ready(Interest::WRITABLE).await.unwrap().is_error(), "nobody reads it");

            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            assert!(first_event(&reactor, listener.into()).await.is_readable());
            drop(client);

            let (terminal, user) = terminal();
            rustix::io::write(&user, b"line\n").unwrap();
            assert!(first_event(&reactor, terminal).await.is_readable());
        }
    });
}

/// A terminal, and the end at which its user types.
fn terminal() -> (OwnedFd, OwnedFd) {
    use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
    let user = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&user).unwrap();
    unlockpt(&user).unwrap();
    let name = ptsname(&user, Vec::new()).unwrap();
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    (open(name.as_c_str(), flags, Mode::empty()).unwrap(), user)
}

/// Behaviour 26, point 6: watched through an `Rc` or an `Arc`.
fn an_object_that_somebody_else_owns_too_stays_open(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let (near, far) = (Rc::new(near), Arc::new(far));
            let heard = Heard::new();
            let tell = heard.clone();
            let shared = reactor.register(Rc::clone(&near), Interest::READABLE, move |io, _| {
                tell.tell(read(io));
                Action::Rearm
            });
            write(&far, b"a");
            assert_eq!(heard.next().await, Some(b'a'));
            let both = reactor.source(Arc::clone(&far)).unwrap();
            write(&near, b"b");
            both.ready(Interest::READABLE).await.unwrap();
            drop((shared, both));
            fence(&reactor).await;
            // The reactor has let go of its share, and of no more.
            assert_eq!((Rc::strong_count(&near), Arc::strong_count(&far)), (1, 1));
            assert_eq!(read(&far), Some(b'b'));
            write(&far, b"c");
            assert_eq!(read(&near), Some(b'c'));
            assert_eq!(heard.rest(), []);
        }
    });
}

/// Behaviour 26.
fn duplicates_of_one_description_do_not_disturb_each_other(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            fill(&near);
            let copy = near.try_clone().unwrap();
            let (reads, writes) = (Heard::new(), Heard::new());
            let tell = reads.clone();
            let reader = reactor.register(near, Interest::READABLE, move |io, _| {
                tell.tell(read(io));
                Action::Rearm
            });
            let tell = writes.clone();
            let writer = reactor.register(copy, Interest::WRITABLE, move |io, readiness| {
                tell.tell(readiness.is_writable());
                fill(io);
                Action::Rearm
            });
            for _ in 0..3 {
                write(&far, b"a");
                assert_eq!(reads.next().await, Some(b'a'));
                drain(&far);
                assert!(writes.next().await);
            }
            drop(writer);
            fence(&reactor).await;
            write(&far, b"b");
            assert_eq!(reads.next().await, Some(b'b'));
            drop(reader);
        }
    });
}

/// Point 6: it would be reported for ever, to nobody.
fn a_source_without_a_callback_cannot_be_armed(world: &World) {
    let reactor = world.reactor();
    let (near, _far) = pair();
    let source = reactor.source(near).unwrap();
    assert_eq!(source.arm(Interest::READABLE).unwrap_err().kind(), ErrorKind::InvalidInput);
    source.disarm().unwrap();
}
