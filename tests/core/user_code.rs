//! What the user's code does at its worst: in destructors, wakers and reporters, at the end.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest, Phase, Report};

use crate::cases;
use crate::pairs::pair;
use crate::world::{LIMIT, World};

cases!(
    holds_and_swaps_do_not_reach_the_reactors_own_waker,
    a_task_may_own_the_reactor,
    a_destructor_that_spawns_its_successor_ends,
    a_panicking_waker_keeps_no_timer_from_running,
    what_becomes_a_label_may_use_the_reactor,
    a_panicking_destructor_of_a_future_goes_on_at_the_end_of_a_turn,
    the_drop_of_a_waker_may_use_the_reactor;
    interleaved:
    finish_keeps_its_timeout_while_a_report_waits_for_it,
    swap_does_not_wait_for_the_new_waker,
);

/// Behaviours 2, 40: in `run`, and in `finish`.
fn holds_and_swaps_do_not_reach_the_reactors_own_waker(world: &World) {
    for finishes in [false, true] {
        let reactor = world.reactor();
        let (proxy, remote) = (reactor.waker_proxy(), reactor.remote());
        let called = Arc::new(AtomicBool::new(false));
        let set = Arc::clone(&called);
        let (began, wait) = std::sync::mpsc::channel();
        let begin = async move { began.send(()).unwrap() };
        let other = thread::spawn(move || {
            wait.recv().unwrap();
            proxy.hold();
            proxy.swap(drop).unwrap();
            remote.call(move || set.store(true, Ordering::SeqCst)).unwrap();
            remote.stop();
        });
        if finishes {
            reactor.on_shutdown(Phase::Before, begin).unwrap().detach();
            let remote = reactor.remote();
            let seen = Arc::clone(&called);
            let called_back = async move {
                // A foreign thread wakes this, while the host thread is parked.
                let (tell, told) = std::sync::mpsc::channel::<Waker>();
                thread::spawn(move || {
                    let waker = told.recv().unwrap();
                    while !seen.load(Ordering::SeqCst) && !remote.is_stopped() {
                        thread::yield_now();
                    }
                    waker.wake();
                });
                let mut first = true;
                std::future::poll_fn(move |cx| {
                    if std::mem::take(&mut first) {
                        tell.send(cx.waker().clone()).unwrap();
                        return std::task::Poll::Pending;
                    }
                    std::task::Poll::Ready(())
                })
                .await;
            };
            reactor.on_shutdown(Phase::Before, called_back).unwrap().detach();
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        } else {
            reactor.spawn_local(begin).detach();
            reactor.run().unwrap();
        }
        assert!(called.load(Ordering::SeqCst));
        other.join().unwrap();
    }
}

/// Behaviour 42: its future is dropped by the shutdown, and drops the reactor that is shutting down.
fn a_task_may_own_the_reactor(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let remote = reactor.remote();
    let handle = reactor.handle();
    let owner = Rc::new(RefCell::new(Some(reactor)));
    let owned = Rc::clone(&owner);
    let owns = async move {
        let _owned = owned;
        pending::<()>().await;
    };
    handle.spawn_local(owns).detach();
    handle.stop();
    drop(owner);
    if world.has_host() {
        host.run_until(|| remote.is_stopped());
    } else {
        // The reactor goes while it runs.
        let _gone = handle.run();
    }
    assert!(remote.is_stopped());
}

/// Spawns the next of its kind when it is dropped.
struct Hydra(Handle, Rc<Cell<usize>>);

impl Drop for Hydra {
    fn drop(&mut self) {
        self.1.set(self.1.get() + 1);
        let next = Hydra(self.0.clone(), Rc::clone(&self.1));
        let lives = async move {
            let _next = next;
            pending::<()>().await;
        };
        self.0.spawn_local(lives).detach();
    }
}

/// Behaviour 40: nobody waits for ever.
fn a_destructor_that_spawns_its_successor_ends(world: &World) {
    let reactor = world.reactor();
    let heads = Rc::new(Cell::new(0));
    drop(Hydra(reactor.handle(), Rc::clone(&heads)));
    let _finished = reactor.finish(LIMIT).unwrap();
    drop(reactor);
    assert!(heads.get() > 1);
}

/// A waker that is not ours.
struct Foreign(Box<dyn Fn() + Send + Sync>);

impl Wake for Foreign {
    fn wake(self: Arc<Self>) {
        (self.0)();
    }
}

fn poll_once(future: impl Future, waker: &Waker) {
    let _pending = pin!(future).as_mut().poll(&mut Context::from_waker(waker));
}

/// Behaviour 20.
fn a_panicking_waker_keeps_no_timer_from_running(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let waker = Waker::from(Arc::new(Foreign(Box::new(|| panic!("a foreign waker")))));
    let mut sleep = Box::pin(reactor.sleep(Duration::from_nanos(1)));
    let end = Instant::now();
    while Instant::now() == end {}
    let done = host.clone();
    // Due at once, and behind the sleep.
    let mut long = Box::pin(reactor.sleep(Duration::from_millis(1)));
    let _ = sleep.as_mut().poll(&mut Context::from_waker(&waker));
    let _ = long.as_mut().poll(&mut Context::from_waker(&waker));
    reactor.after(Duration::from_millis(1), move || done.done()).detach();
    // With the reactor's own loop, the panic may come out of the turn that ends it.
    while catch_unwind(AssertUnwindSafe(|| host.run())).is_err() && !reactor.is_stopped() {}
}

/// What sets a timer and drops it when it is asked for its name.
struct Name(Handle);

impl From<Name> for Cow<'static, str> {
    fn from(name: Name) -> Self {
        name.0.after(LIMIT, || ()).cancel();
        "a name".into()
    }
}

/// Behaviour 20.
fn what_becomes_a_label_may_use_the_reactor(world: &World) {
    let reactor = world.reactor();
    let name = || Name(reactor.handle());
    let timer = reactor.after(LIMIT, || ()).label(name());
    let task = reactor.spawn_local(pending::<()>()).label(name());
    let trigger = reactor.on_shutdown(Phase::After, async {}).unwrap().label(name());
    let source = reactor.register(pair().0, Interest::READABLE, |_, _| Action::Rearm);
    let source = source.unwrap().label(name());
    assert!(timer.is_pending() && trigger.is_pending());
    assert_eq!(reactor.dump().to_string().matches("a name").count(), 4, "{}", reactor.dump());
    drop((task, source));
}

struct Bad(Rc<Cell<bool>>);

impl Drop for Bad {
    fn drop(&mut self) {
        self.0.set(true);
        panic!("a bad destructor");
    }
}

/// Behaviour 20: and it does not end the process.
fn a_panicking_destructor_of_a_future_goes_on_at_the_end_of_a_turn(world: &World) {
    let reactor = world.reactor();
    let dropped = Rc::new(Cell::new(false));
    let bad = Bad(Rc::clone(&dropped));
    let waits = async move {
        let _bad = bad;
        pending::<()>().await;
    };
    reactor.spawn_local(waits).detach();
    reactor.turn();
    drop(reactor);
    assert!(dropped.get());
    let reactor = world.reactor();
    let bad = Bad(Rc::clone(&dropped));
    let ends = async move { bad.0.set(false) };
    reactor.spawn_local(ends).detach();
    assert!(catch_unwind(AssertUnwindSafe(|| reactor.turn())).is_err());
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

/// Uses the reactor when it is dropped. It never leaves the host thread.
struct Looks(Box<dyn Fn() + Send + Sync>);

impl Wake for Looks {
    fn wake(self: Arc<Self>) {}
}

impl Drop for Looks {
    fn drop(&mut self) {
        (self.0)();
    }
}

thread_local! {
    static LOOKED_AT: RefCell<Option<Handle>> = const { RefCell::new(None) };
}

/// Behaviour 47: no borrow is held while a waker is cloned or dropped.
fn the_drop_of_a_waker_may_use_the_reactor(world: &World) {
    let reactor = world.reactor();
    LOOKED_AT.set(Some(reactor.handle()));
    let drops = Arc::new(AtomicUsize::new(0));
    let looks = || {
        let drops = Arc::clone(&drops);
        Waker::from(Arc::new(Looks(Box::new(move || {
            drops.fetch_add(1, Ordering::SeqCst);
            LOOKED_AT.with_borrow(|handle| {
                let handle = handle.as_ref().unwrap();
                let _dump = handle.dump();
                drop(handle.after(LIMIT, || ()));
            });
        }))))
    };
    let mut sleep = Box::pin(reactor.sleep(LIMIT));
    let source = reactor.source(pair().0).unwrap();
    let mut ready = Box::pin(source.ready(Interest::PRIORITY));
    for _ in 0..2 {
        let waker = looks();
        let _ = sleep.as_mut().poll(&mut Context::from_waker(&waker));
        let _ = ready.as_mut().poll(&mut Context::from_waker(&waker));
        poll_once(reactor.remote().stopped(), &waker);
    }
    drop((ready, sleep));
    assert_eq!(drops.load(Ordering::SeqCst), 2);
    LOOKED_AT.set(None);
}

/// Behaviour 40: the worker is inside a reporter that waits for the host thread.
fn finish_keeps_its_timeout_while_a_report_waits_for_it(world: &World) {
    let slot: Arc<std::sync::OnceLock<interloop::Remote>> = Arc::default();
    let (remote, inside) = (Arc::clone(&slot), Arc::new(AtomicBool::new(false)));
    let set = Arc::clone(&inside);
    let reporter = move |report: &Report<'_>| {
        if matches!(report, Report::WakerPanicked) {
            set.store(true, Ordering::SeqCst);
            let _answer = remote.get().unwrap().call_blocking(|| ());
        }
    };
    let reactor = world.builder().reporter(reporter).build().unwrap();
    slot.set(reactor.remote()).unwrap();
    let panicked = AtomicBool::new(false);
    let waker = move |tick| {
        drop(tick);
        assert!(panicked.swap(true, Ordering::SeqCst), "the first wake fails");
    };
    reactor.interleave(waker).unwrap();
    let (near, _far) = pair();
    // Writable at once: the worker wakes the host.
    let source = reactor.register(near, Interest::WRITABLE, |_, _| interloop::Action::Disarm);
    let limit = Instant::now() + LIMIT;
    while !inside.load(Ordering::SeqCst) {
        assert!(Instant::now() < limit, "the worker reports");
        thread::yield_now();
    }
    let _finished = reactor.finish(Duration::from_millis(200)).unwrap();
    drop(source);
}

/// Behaviour 8: the thread that leaves the old waker may enter the new one, which waits for the host
/// thread.
fn swap_does_not_wait_for_the_new_waker(world: &World) {
    let reactor = world.reactor();
    let (entered, leave) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let (set, wait) = (Arc::clone(&entered), Arc::clone(&leave));
    let host = thread::current().id();
    let old = move |tick: interloop::Tick| {
        tick.detach();
        if thread::current().id() != host {
            set.store(true, Ordering::SeqCst);
            while !wait.load(Ordering::SeqCst) {
                thread::yield_now();
            }
        }
    };
    let proxy = reactor.interleave(old).unwrap();
    let remote = reactor.remote();
    let first = thread::spawn(move || remote.call(|| ()).unwrap());
    while !entered.load(Ordering::SeqCst) {
        thread::yield_now();
    }
    reactor.turn();
    // Handed to the thread inside, which will call whatever waker is there.
    let remote = reactor.remote();
    thread::spawn(move || remote.call(|| ()).unwrap()).join().unwrap();
    let swapped = Arc::new(AtomicBool::new(false));
    let (seen, left) = (Arc::clone(&swapped), Arc::clone(&leave));
    let leaves = thread::spawn(move || {
        thread::yield_now();
        left.store(true, Ordering::SeqCst);
    });
    let new = move |tick: interloop::Tick| {
        tick.detach();
        while thread::current().id() != host && !seen.load(Ordering::SeqCst) {
            thread::yield_now();
        }
    };
    proxy.swap(new).unwrap();
    swapped.store(true, Ordering::SeqCst);
    first.join().unwrap();
    leaves.join().unwrap();
}
