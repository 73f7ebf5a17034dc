//! A reactor that is dropped in the middle of things.

use std::cell::{Cell, RefCell};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Interest, Phase, Reactor};

use crate::cases;
use crate::futures::yield_now;
use crate::world::{Drive, LIMIT, World};

cases!(
    dropping_does_not_wait_for_a_worker_that_blocks,
    dropping_inside_a_callback_is_sound,
    dropping_goes_on_when_destructors_panic,
);

/// Behaviour 42: the worker has nothing to wait for but the end. How long it took is printed; the
/// bound is a generous one.
fn dropping_does_not_wait_for_a_worker_that_blocks(world: &World) {
    let reactor = world.reactor();
    let host = world.is_interleaved().then(|| world.host(&reactor));
    let (a, b) = UnixStream::pair().unwrap();
    let source = reactor.register(a, Interest::READABLE, |_, _| Action::Rearm).unwrap();
    if host.is_some() {
        let limit = Instant::now() + LIMIT;
        while reactor.stats().worker_returns == 0 && !has_worker_settled(&reactor) {
            assert!(Instant::now() < limit);
            thread::yield_now();
        }
    }
    let began = Instant::now();
    drop(reactor);
    let took = began.elapsed();
    println!("{:?} {:?}: dropped in {took:?}", world.backend, world.drive);
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop((source, host, b));
}

/// True once the worker has had the time to block: an interrupt finds it asleep.
fn has_worker_settled(reactor: &Reactor) -> bool {
    let before = reactor.stats().interrupts;
    drop(reactor.after(Duration::from_millis(1), || ()));
    reactor.stats().interrupts > before
}

/// Behaviour 42: the callback that owns the reactor lets it go, and the turn ends in peace.
fn dropping_inside_a_callback_is_sound(world: &World) {
    let slot = Rc::new(RefCell::new(None));
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let handle = reactor.handle();
    let (a, _b) = UnixStream::pair().unwrap();
    let (inner, quit) = (Rc::clone(&slot), host.clone());
    let dropper = move |_: &UnixStream, _| {
        drop(inner.take());
        if quit.drive.has_host() {
            quit.done();
        }
        Action::Rearm
    };
    reactor.register(a, Interest::WRITABLE, dropper).unwrap().detach();
    let late = Rc::new(Cell::new(false));
    let (mark, state) = (Rc::clone(&late), handle.clone());
    let tick = move || {
        mark.set(mark.get() | state.is_stopped());
        std::ops::ControlFlow::Continue(())
    };
    reactor.every(Duration::ZERO, tick).detach();
    let (mark, state) = (Rc::clone(&late), handle.clone());
    let task = async move {
        loop {
            mark.set(mark.get() | state.is_stopped());
            yield_now().await;
        }
    };
    reactor.spawn_local(task).detach();
    slot.replace(Some(reactor));
    match world.drive {
        Drive::Interleaved | Drive::Embed => host.run(),
        Drive::Run | Drive::BlockOn => handle.run().unwrap(),
    }
    assert!(handle.is_stopped());
    assert!(!late.get(), "nothing runs after the drop");
}

/// Panics when it is dropped.
pub struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("a destructor");
        }
    }
}

/// Behaviour 42: destructors of callbacks, calls and triggers.
fn dropping_goes_on_when_destructors_panic(world: &World) {
    let reactor = world.reactor();
    let host = world.has_host().then(|| world.host(&reactor));
    let dropped = Arc::new(());
    let fuse = || (Bomb, Arc::clone(&dropped));
    let mut peers = Vec::new();
    for _ in 0..2 {
        let (a, b) = UnixStream::pair().unwrap();
        let held = fuse();
        let callback = move |_: &UnixStream, _| {
            let _ = &held;
            Action::Rearm
        };
        reactor.register(a, Interest::READABLE, callback).unwrap().detach();
        peers.push(b);
        let held = fuse();
        reactor.after(LIMIT, move || drop(held)).detach();
        let held = fuse();
        reactor.on_shutdown(Phase::Before, async move { drop(held) }).unwrap().detach();
        let held = Arc::clone(&dropped);
        reactor.remote().call(move || drop((Bomb, held))).unwrap();
    }
    let remote = reactor.remote();
    let panicked = catch_unwind(AssertUnwindSafe(|| drop(reactor)));
    assert!(panicked.is_ok(), "the drop of a reactor does not panic");
    assert_eq!(Arc::strong_count(&dropped), 1, "everything is dropped");
    assert!(remote.is_stopped());
    drop(host);
}
