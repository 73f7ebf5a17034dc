//! How sources come, are held, and go.

use std::cell::{Cell, RefCell};
use std::fs::File;
use std::future::Future;
use std::io::{ErrorKind, Read, Seek, Write};
use std::net::TcpListener;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use interloop::{Action, BackendKind, Handle, Interest, Readiness, Source};
use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::{Mode, OFlags, open};

use crate::cases;
use crate::pairs::{Heard, closed, drain, fence, fill, pair, read, script, write};
use crate::world::World;

cases!(
    what_is_registered_twice_is_handed_back,
    a_regular_file_is_handed_back_untouched,
    kinds_of_descriptors_are_watched_or_refused,
    an_object_that_somebody_else_owns_too_stays_open,
    what_was_removed_can_be_registered_again_at_once,
    duplicates_of_one_description_do_not_disturb_each_other,
    a_dropped_source_closes_its_object,
    a_port_is_free_again_when_its_listener_was_dropped,
    a_detached_source_lives_until_it_is_removed,
    remove_ends_the_registration_and_leaves_the_object_to_its_holder,
    a_source_may_be_dropped_inside_its_own_callback,
    a_source_without_a_callback_cannot_be_armed,
    keys_of_the_past_find_nobody,
    destructors_may_use_the_reactor,
    two_tasks_wait_for_the_two_directions_of_one_stream,
    a_waiter_and_a_callback_both_hear,
    every_waiter_of_one_interest_hears,
    a_wait_that_is_dropped_between_polls_loses_nothing,
    a_wait_ends_when_its_source_is_removed,
    a_wait_that_nobody_polls_any_more_does_not_keep_the_backend_busy;
    hosted:
    a_source_dropped_outside_a_turn_closes_its_object,
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

/// Point 6: limbo is no obstacle.
fn what_was_removed_can_be_registered_again_at_once(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let near = Rc::new(near);
            for round in 0..20 {
                let heard = Heard::new();
                let tell = heard.clone();
                let source =
                    reactor.register(Rc::clone(&near), Interest::READABLE, move |io, _| {
                        tell.tell((round, read(io)));
                        Action::Rearm
                    });
                let source = source.unwrap();
                write(&far, b"a");
                // Every other time while an event may be on its way.
                if round % 2 == 0 {
                    assert_eq!(heard.next().await, (round, Some(b'a')));
                } else {
                    drop(source);
                    read(&near);
                }
            }
            fence(&reactor).await;
            assert_eq!(Rc::strong_count(&near), 1);
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

/// Point 6, seen from the other end.
fn a_dropped_source_closes_its_object(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            for interest in [Interest::NONE, Interest::READABLE, Interest::WRITABLE] {
                let (near, far) = pair();
                let source = reactor.register(near, interest, |_, _| Action::Disarm).unwrap();
                drop(source);
                closed(&reactor, far).await;
            }
        }
    });
}

/// Point 6: a drop in the host's own code, with no turn on the stack.
fn a_source_dropped_outside_a_turn_closes_its_object(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (near, far) = pair();
    let source = reactor.register(near, Interest::READABLE, |_, _| Action::Disarm).unwrap();
    let (heard, inner) = (Heard::new(), reactor.handle());
    let tell = heard.clone();
    let waiting = reactor.spawn_local(async move {
        closed(&inner, far).await;
        tell.tell(());
    });
    drop(source);
    host.run_until(|| !heard.rest().is_empty());
    drop(waiting);
}

/// Point 6: limbo does not keep a port.
fn a_port_is_free_again_when_its_listener_was_dropped(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let source = reactor.register(listener, Interest::READABLE, |_, _| Action::Rearm);
            let taken = TcpListener::bind(address).expect_err("it is taken");
            assert_eq!(taken.kind(), ErrorKind::AddrInUse);
            drop(source);
            fence(&reactor).await;
            TcpListener::bind(address).expect("it is free");
        }
    });
}

/// Point 6.
fn a_detached_source_lives_until_it_is_removed(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let heard = Heard::new();
            let tell = heard.clone();
            let source = reactor.register(near, Interest::READABLE, move |io, _| {
                let byte = read(io);
                tell.tell(byte);
                if byte == Some(b'q') { Action::Remove } else { Action::Rearm }
            });
            source.unwrap().detach();
            for byte in *b"aq" {
                write(&far, &[byte]);
                assert_eq!(heard.next().await, Some(byte));
            }
            closed(&reactor, far).await;
        }
    });
}

/// Point 6.
fn remove_ends_the_registration_and_leaves_the_object_to_its_holder(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let captured = Rc::new(());
            let capture = Rc::clone(&captured);
            let heard = Heard::new();
            let tell = heard.clone();
            let source = reactor.register(near, Interest::READABLE, move |io, _| {
                let _held = &capture;
                tell.tell(read(io));
                Action::Remove
            });
            let source = source.unwrap();
            write(&far, b"a");
            heard.next().await;
            fence(&reactor).await;
            assert_eq!(Rc::strong_count(&captured), 1, "the callback is gone");
            assert!(!source.is_registered());
            let kinds = [source.arm(Interest::READABLE), source.disarm()]
                .map(|refused| refused.unwrap_err().kind());
            assert_eq!(kinds, [ErrorKind::NotConnected; 2]);
            let wait = source.ready(Interest::READABLE).await;
            assert_eq!(wait.unwrap_err().kind(), ErrorKind::NotConnected);
            write(source.get_ref(), b"b");
            assert_eq!(read(&far), Some(b'b'));
            drop(source);
            closed(&reactor, far).await;
        }
    });
}

/// Point 6: whatever the callback answers then.
fn a_source_may_be_dropped_inside_its_own_callback(world: &World) {
    let answers = [
        Action::Rearm,
        Action::RearmFor(Interest::READABLE | Interest::WRITABLE),
        Action::Disarm,
        Action::Remove,
    ];
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            for answer in answers {
                let (near, far) = pair();
                write(&far, b"a");
                let own: Rc<RefCell<Option<Source<UnixStream>>>> = Rc::default();
                let heard = Heard::new();
                let (inside, tell) = (Rc::clone(&own), heard.clone());
                let source = reactor.register(near, Interest::READABLE, move |io, _| {
                    inside.take();
                    // Still lent: what is on the stack is not closed.
                    tell.tell(read(io));
                    answer
                });
                own.replace(source.ok());
                assert_eq!(heard.next().await, Some(b'a'));
                closed(&reactor, far).await;
                assert_eq!(Rc::strong_count(&own), 1, "the callback is gone");
                assert_eq!(heard.rest(), []);
            }
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

/// Point 6, behaviour 17: slots and descriptor numbers are used again, keys are not.
fn keys_of_the_past_find_nobody(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let heard = Heard::new();
            for round in 0..200 {
                let (near, far) = pair();
                // It is ready, and may be on its way when it is dropped.
                write(&far, b"a");
                let gone = reactor.register(near, Interest::READABLE, |_, _| Action::Rearm);
                if round % 3 == 0 {
                    reactor.sleep(Duration::from_nanos(1)).await;
                }
                drop(gone);
                drop(far);
                let (near, far) = pair();
                let tell = heard.clone();
                let new = reactor.register(near, Interest::READABLE, move |_, readiness| {
                    tell.tell(readiness);
                    Action::Disarm
                });
                fence(&reactor).await;
                assert_eq!(heard.rest(), [], "nothing was written");
                drop((new, far));
            }
        }
    });
}

/// A descriptor whose owner has more to do at its end.
struct Busy {
    fd: UnixStream,
    reactor: Handle,
    ends: Rc<Cell<u32>>,
}

impl AsFd for Busy {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.ends.set(self.ends.get() + 1);
        let (near, far) = pair();
        if let Ok(source) = self.reactor.source(near) {
            source.detach();
        }
        self.reactor.after(Duration::ZERO, move || drop(far)).detach();
        let _dump = self.reactor.dump().to_string();
    }
}

/// No borrow is held while user code runs, and a destructor is user code.
fn destructors_may_use_the_reactor(world: &World) {
    let ends = Rc::new(Cell::new(0));
    let busy = |reactor: &Handle| {
        let (fd, far) = pair();
        let busy = Busy { fd, reactor: reactor.handle(), ends: Rc::clone(&ends) };
        (busy, far)
    };
    let reactor = world.reactor();
    let mut far_ends = Vec::new();
    let mut add = |interest: Interest, action: Action| {
        let ((io, far), (captured, other)) = (busy(&reactor), busy(&reactor));
        far_ends.extend([far, other]);
        reactor.register(io, interest, move |_, _| {
            let _held = &captured;
            action
        })
    };
    let dropped = add(Interest::READABLE, Action::Rearm).unwrap();
    add(Interest::WRITABLE, Action::Remove).unwrap().detach();
    add(Interest::NONE, Action::Rearm).unwrap().detach();
    let (io, far) = busy(&reactor);
    let timer = reactor.after(Duration::from_secs(3600), move || drop(io));
    let (io, far_too) = busy(&reactor);
    let task = reactor.spawn_local(async move {
        std::future::pending::<()>().await;
        drop(io);
    });
    let host = world.host(&reactor);
    let (inner, done) = (reactor.handle(), host.clone());
    let steps = reactor.spawn_local(async move {
        fence(&inner).await;
        drop((dropped, timer));
        fence(&inner).await;
        done.done();
    });
    host.run();
    drop((task, steps));
    drop(reactor);
    assert_eq!(ends.get(), 8);
    drop((far_ends, far, far_too));
}

/// Behaviour 14, and of the async layer 49.
fn two_tasks_wait_for_the_two_directions_of_one_stream(world: &World) {
    script(world, |reactor| {
        let (near, far) = pair();
        let near = Rc::new(reactor.source(near).unwrap());
        let far = Rc::new(reactor.source(far).unwrap());
        const BYTES: usize = 1 << 20;
        let reactor = reactor.handle();
        async move {
            let mut tasks = Vec::new();
            for (from, to) in [(&near, &far), (&far, &near)] {
                let (reading, writing) = (Rc::clone(to), Rc::clone(from));
                tasks.push(reactor.spawn_local(async move {
                    let mut left = BYTES;
                    while left > 0 {
                        match writing.get_ref().write(&vec![1; left.min(100_000)]) {
                            Ok(written) => left -= written,
                            Err(_) => drop(writing.ready(Interest::WRITABLE).await.unwrap()),
                        }
                    }
                }));
                tasks.push(reactor.spawn_local(async move {
                    let mut left = BYTES;
                    while left > 0 {
                        match reading.get_ref().read(&mut vec![0; 70_000]) {
                            Ok(got) => left -= got,
                            Err(_) => drop(reading.ready(Interest::READABLE).await.unwrap()),
                        }
                    }
                }));
            }
            for task in tasks {
                task.await;
            }
        }
    });
}

/// Point 6.
fn a_waiter_and_a_callback_both_hear(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let heard = Heard::new();
            let tell = heard.clone();
            let source = reactor.register(near, Interest::READABLE, move |_, _| {
                tell.tell(());
                Action::Disarm
            });
            let source = Rc::new(source.unwrap());
            let waiting = Rc::clone(&source);
            let waiter =
                reactor.spawn_local(async move { waiting.ready(Interest::READABLE).await });
            fence(&reactor).await;
            write(&far, b"a");
            heard.next().await;
            assert!(waiter.await.unwrap().is_readable());
            // A wait does not arm the callback, nor the callback's arming end a wait.
            assert!(source.ready(Interest::READABLE).await.unwrap().is_readable());
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            read(source.get_ref());
            let waiting = Rc::clone(&source);
            let waiter =
                reactor.spawn_local(async move { waiting.ready(Interest::READABLE).await });
            source.arm(Interest::WRITABLE).unwrap();
            heard.next().await;
            fence(&reactor).await;
            assert!(!waiter.is_finished());
            write(&far, b"b");
            assert!(waiter.await.unwrap().is_readable());
        }
    });
}

/// Point 6.
fn every_waiter_of_one_interest_hears(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let source = Rc::new(reactor.source(near).unwrap());
            let wait = |_| {
                let source = Rc::clone(&source);
                reactor.spawn_local(async move { source.ready(Interest::READABLE).await })
            };
            let waiters: Vec<_> = (0..10).map(wait).collect();
            fence(&reactor).await;
            write(&far, b"a");
            for waiter in waiters {
                assert!(waiter.await.unwrap().is_readable());
            }
        }
    });
}

/// Behaviour 48 of the async layer: dropping a wait loses no readiness.
fn a_wait_that_is_dropped_between_polls_loses_nothing(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let source = Rc::new(reactor.source(near).unwrap());
            let wait = || {
                let source = Rc::clone(&source);
                reactor.spawn_local(async move { source.ready(Interest::READABLE).await })
            };
            // Before anything came; while it is on its way; and when it came.
            let early = wait();
            fence(&reactor).await;
            drop(early);
            let late = wait();
            fence(&reactor).await;
            write(&far, b"a");
            drop(late);
            let lives = wait();
            let polled_once = wait();
            assert!(lives.await.unwrap().is_readable());
            drop(polled_once);
            assert!(source.ready(Interest::READABLE).await.unwrap().is_readable());
            assert_eq!(read(source.get_ref()), Some(b'a'));
            let unready = wait();
            fence(&reactor).await;
            assert!(!unready.is_finished());
        }
    });
}

/// Point 6.
fn a_wait_ends_when_its_source_is_removed(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let source = reactor.register(near, Interest::READABLE, |_, _| Action::Remove);
            let source = Rc::new(source.unwrap());
            let waits = [Interest::READABLE, Interest::WRITABLE, Interest::PRIORITY].map(|what| {
                fill(source.get_ref());
                let source = Rc::clone(&source);
                reactor.spawn_local(async move { source.ready(what).await })
            });
            fence(&reactor).await;
            write(&far, b"a");
            for wait in waits {
                assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::NotConnected);
            }
        }
    });
}

/// A source that is ready, and that nobody waits for any more, is not reported in every turn.
fn a_wait_that_nobody_polls_any_more_does_not_keep_the_backend_busy(world: &World) {
    script(world, |reactor| {
        let reactor: Handle = reactor.handle();
        async move {
            let (near, far) = pair();
            let source = reactor.source(near).unwrap();
            let mut wait = Box::pin(source.ready(Interest::READABLE));
            let once = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(wait.as_mut().poll(cx).is_pending())
            });
            assert!(once.await);
            write(&far, b"a");
            fence(&reactor).await;
            let before = reactor.stats();
            for _ in 0..10 {
                reactor.sleep(Duration::from_millis(1)).await;
            }
            let turns = reactor.stats().turns - before.turns;
            assert!(turns <= 100, "{turns} turns for ten sleeps");
            assert!(wait.await.unwrap().is_readable());
        }
    });
}
