//! How sources go: dropped, detached, removed.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest, Reactor, Source};

use crate::cases;
use crate::pairs::{Heard, closed, fence, pair, read, script, write};
use crate::world::{Host, LIMIT, World};

cases!(
    what_was_removed_can_be_registered_again_at_once,
    a_dropped_source_closes_its_object,
    a_port_is_free_again_when_its_listener_was_dropped,
    a_detached_source_lives_until_it_is_removed,
    remove_ends_the_registration_and_leaves_the_object_to_its_holder,
    a_source_may_be_dropped_inside_its_own_callback,
    keys_of_the_past_find_nobody,
    destructors_may_use_the_reactor;
    hosted:
    a_port_is_free_after_the_end_though_somebody_keeps_a_remote,
    a_source_dropped_outside_a_turn_closes_its_object,
);

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

/// Ends a reactor.
type End = fn(Reactor, &Host);

/// Point 6.
fn a_port_is_free_after_the_end_though_somebody_keeps_a_remote(world: &World) {
    let ends: [End; 3] = [
        |reactor, _| drop(reactor),
        |reactor, _| assert!(reactor.finish(LIMIT).unwrap().is_clean()),
        |reactor, host| {
            reactor.stop();
            host.run_until(|| reactor.is_stopped());
        },
    ];
    for end in ends {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let remote = reactor.remote();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Rc::new(Cell::new(0));
        let tell = Rc::clone(&accepted);
        let source = reactor.register(listener, Interest::READABLE, move |listener, _| {
            drop(listener.accept());
            tell.set(tell.get() + 1);
            Action::Rearm
        });
        source.unwrap().detach();
        // Now the backend has it.
        for clients in 1..=2 {
            let _client = TcpStream::connect(address).unwrap();
            host.run_until(|| accepted.get() == clients);
        }
        end(reactor, &host);
        // The kernel may take a moment.
        let until = Instant::now() + LIMIT;
        while let Err(error) = TcpListener::bind(address) {
            assert_eq!(error.kind(), ErrorKind::AddrInUse);
            assert!(Instant::now() < until, "{address} is taken still");
            thread::yield_now();
        }
        drop(remote);
    }
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
