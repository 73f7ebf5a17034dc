//! The calls that the end of a reactor runs, and what they may do to it.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use interloop::{Interest, Phase, Reactor};

use crate::cases;
use crate::pairs::pair;
use crate::shutdown::dead_host;
use crate::world::{LIMIT, World};

cases!(
    a_call_of_the_end_may_wait_for_the_next_one,
    a_call_of_the_end_may_drop_the_reactor,
    a_call_at_the_deadline_may_end_the_reactor_and_every_wait_ends,
);

/// Behaviour 34: the calls that the end runs are not on its stack.
fn a_call_of_the_end_may_wait_for_the_next_one(world: &World) {
    let reactor = world.reactor();
    let second = Arc::new(AtomicBool::new(false));
    let (remote, set) = (reactor.remote(), Arc::clone(&second));
    let posts = async move {
        let first = move || {
            // A nested host loop, in the simplest form.
            while !second.load(Ordering::SeqCst) {
                Reactor::current().unwrap().turn();
            }
        };
        remote.call(first).unwrap();
        remote.call(move || set.store(true, Ordering::SeqCst)).unwrap();
    };
    reactor.on_shutdown(Phase::After, posts).unwrap().detach();
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

thread_local! {
    static APP: RefCell<Option<Reactor>> = const { RefCell::new(None) };
}

/// Behaviours 39, 42.
fn a_call_of_the_end_may_drop_the_reactor(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (remote, handle) = (reactor.remote(), reactor.handle());
    let posting = remote.clone();
    let posts = async move { posting.call(|| drop(APP.take())).unwrap() };
    reactor.on_shutdown(Phase::After, posts).unwrap().detach();
    reactor.stop();
    APP.set(Some(reactor));
    if world.has_host() {
        host.run_until(|| remote.is_stopped());
    } else {
        let _gone = handle.run();
    }
    assert!(remote.is_stopped() && APP.take().is_none());
}

/// The waker of a foreign executor.
#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Polls a wait as a foreign executor does, in vain.
fn begin(wait: Pin<&mut impl Future>) -> Arc<Woken> {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    assert!(wait.poll(&mut Context::from_waker(&waker)).is_pending());
    woken
}

/// Behaviours 40, 42: in the stage `Before`, with the sources alive.
fn a_call_at_the_deadline_may_end_the_reactor_and_every_wait_ends(world: &World) {
    let ends: [fn(); 2] = [
        || drop(APP.take()),
        || APP.with_borrow(|app| drop(app.as_ref().unwrap().finish(Duration::ZERO).unwrap())),
    ];
    for ends in ends {
        let reactor = world.reactor();
        dead_host(world, &reactor);
        let ((near, _far), (remembers, _other)) = (pair(), pair());
        let source = reactor.source(near).unwrap();
        let mut ready = pin!(source.ready(Interest::READABLE));
        #[cfg(feature = "net")]
        let remembers = interloop::Async::new(&reactor, remembers).unwrap();
        #[cfg(not(feature = "net"))]
        let remembers = reactor.source(remembers).unwrap();
        #[cfg(feature = "net")]
        let mut readable = pin!(remembers.readable());
        #[cfg(not(feature = "net"))]
        let mut readable = pin!(remembers.ready(Interest::READABLE));
        let woken = [begin(ready.as_mut()), begin(readable.as_mut())];
        reactor.on_shutdown(Phase::Before, pending::<()>()).unwrap().detach();
        // The one turn that there is has run its calls before its tasks.
        let remote = reactor.remote();
        reactor.spawn_local(async move { remote.call(ends).unwrap() }).detach();
        let handle = reactor.handle();
        APP.set(Some(reactor));
        assert!(!handle.finish(Duration::ZERO).unwrap().is_clean());
        assert!(handle.is_stopped() && !source.is_registered());
        for woken in woken {
            assert!(woken.0.load(Ordering::SeqCst), "a wait that nobody ends");
        }
        drop(APP.take());
    }
}
