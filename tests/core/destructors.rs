//! Destructors that panic while a reactor ends: the end comes all the same.

use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Instant;

use interloop::{Action, Interest, Reactor};

use crate::cases;
use crate::dropping::Bomb;
use crate::pairs::pair;
use crate::shutdown::run_until_stopped;
use crate::world::{Host, LIMIT, World};

cases!(
    the_end_comes_although_objects_panic_when_they_are_dropped;
    interleaved:
    the_end_comes_although_the_waker_panics_when_it_is_dropped,
);

/// What counts itself when it is dropped, and panics then.
struct Fuse {
    dropped: Arc<AtomicU32>,
    _bomb: Bomb,
}

impl Fuse {
    fn new(dropped: &Arc<AtomicU32>) -> Fuse {
        Fuse { dropped: Arc::clone(dropped), _bomb: Bomb }
    }
}

impl Drop for Fuse {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::SeqCst);
    }
}

/// An object that has one.
struct Fused {
    io: UnixStream,
    _fuse: Fuse,
}

impl AsFd for Fused {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

/// A way to end a reactor, which may take it.
type End = fn(&mut Option<Reactor>, &Host);

/// Each with whether the panics of destructors may come out of it.
const ENDS: [(End, bool); 3] = [
    (
        |slot, host| {
            let reactor = slot.as_ref().unwrap();
            reactor.stop();
            run_until_stopped(reactor, host);
        },
        true,
    ),
    (|slot, _host| drop(slot.as_ref().unwrap().finish(LIMIT)), true),
    (|slot, _host| drop(slot.take()), false),
];

/// Ends a reactor, and lets go of it. What the worker holds on to, being on its way out of the waker, may go only
/// then.
fn end(reactor: Reactor, host: &Host, (end, lets_panics_out): (End, bool)) {
    let remote = reactor.remote();
    let mut slot = Some(reactor);
    let panicked = catch_unwind(AssertUnwindSafe(|| end(&mut slot, host))).is_err();
    assert!(remote.is_stopped(), "who waits for the end waits for ever");
    assert!(!panicked || lets_panics_out);
}

/// Behaviours 39, 40, 42: a backend with a worker may hold on to the objects until the very end.
fn the_end_comes_although_objects_panic_when_they_are_dropped(world: &World) {
    for way in ENDS {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let dropped = Arc::default();
        let mut peers = Vec::new();
        for _ in 0..2 {
            let (io, peer) = pair();
            let object = Fused { io, _fuse: Fuse::new(&dropped) };
            let callback = |_: &Fused, _| Action::Rearm;
            reactor.register(object, Interest::READABLE, callback).unwrap().detach();
            peers.push(peer);
        }
        end(reactor, &host, way);
        assert_eq!(dropped.load(Ordering::SeqCst), 2);
    }
}

/// Behaviours 39, 40, 42.
fn the_end_comes_although_the_waker_panics_when_it_is_dropped(world: &World) {
    for way in ENDS {
        let reactor = world.reactor();
        let host = Host::new(&reactor, world.drive);
        let dropped = Arc::default();
        let (queue, fuse) = (host.queue.clone(), Fuse::new(&dropped));
        let waker = move |tick| {
            let _held = &fuse;
            queue.post(tick);
        };
        reactor.interleave(waker).unwrap();
        end(reactor, &host, way);
        let limit = Instant::now() + LIMIT;
        while dropped.load(Ordering::SeqCst) == 0 {
            assert!(Instant::now() < limit, "the waker stays");
            thread::yield_now();
        }
    }
}
