//! Closures on the thread pool, limits of time, and driving one future without a host.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use interloop::Phase;

use crate::cases;
use crate::futures::{Flag, yield_now};
use crate::sockets::{once, task};
use crate::world::{LIMIT, World};

cases!(
    a_result_of_the_pool_arrives_on_the_host_thread,
    a_panic_on_the_pool_goes_to_the_one_who_awaits,
    a_closure_that_nobody_awaits_is_not_dropped_on_the_host_thread,
    a_thousand_closures_all_run,
    the_shutdown_waits_for_a_closure_that_runs,
    finish_names_a_closure_that_does_not_end,
    a_closure_that_calls_the_host_thread_does_not_hang_the_shutdown,
    who_awaits_the_pool_hears_of_it_in_a_shutdown_of_small_turns,
    a_timeout_ends_what_takes_too_long,
    a_callback_gets_what_a_future_gives,
    block_on_gives_what_a_borrowing_future_gives,
    block_on_runs_timers_and_tasks_meanwhile,
    block_on_hears_of_wakes_from_other_threads,
    block_on_lets_a_panic_through_and_works_again,
    block_on_ends_with_the_reactor,
    block_on_in_a_callback_is_an_error;
    hosted:
    block_on_beside_a_host_is_an_error,
);

/// Behaviour 55.
fn a_result_of_the_pool_arrives_on_the_host_thread(world: &World) {
    task(world, |reactor| async move {
        let host = thread::current().id();
        let ran_on = reactor.unblock(move || thread::current().id()).await;
        assert_ne!(ran_on, host);
        assert_eq!(thread::current().id(), host);
        let text = reactor.unblock(|| std::fs::read_to_string("/proc/self/comm")).await.unwrap();
        assert!(!text.is_empty());
    });
}

/// Behaviour 55.
fn a_panic_on_the_pool_goes_to_the_one_who_awaits(world: &World) {
    task(world, |reactor| async move {
        let mut bad = Box::pin(reactor.unblock(|| std::panic::panic_any("on the pool")));
        let panic = poll_fn(|cx| {
            match catch_unwind(AssertUnwindSafe(|| std::future::Future::poll(bad.as_mut(), cx))) {
                Ok(Poll::Pending) => Poll::Pending,
                Ok(Poll::Ready(())) => panic!("it ended"),
                Err(panic) => Poll::Ready(*panic.downcast::<&str>().unwrap()),
            }
        });
        assert_eq!(panic.await, "on the pool");
        assert_eq!(reactor.unblock(|| 7).await, 7, "the pool goes on");
    });
}

/// What a closure owns: it tells the thread that drops it, and whether the closure had begun.
struct Owned {
    tell: mpsc::Sender<(ThreadId, bool)>,
    begun: bool,
}

impl Drop for Owned {
    fn drop(&mut self) {
        let _unheard = self.tell.send((thread::current().id(), self.begun));
    }
}

/// Behaviour 55: whether it has begun or not, it is dropped over there, and once.
fn a_closure_that_nobody_awaits_is_not_dropped_on_the_host_thread(world: &World) {
    const CLOSURES: usize = 300;
    task(world, |reactor| async move {
        let host = thread::current().id();
        let limit = Instant::now() + LIMIT;
        // More than the pool begins at once, until it was slower than this thread.
        loop {
            let (tell, told) = mpsc::channel();
            let closure = |_| {
                let owned = Owned { tell: tell.clone(), begun: false };
                reactor.unblock(move || {
                    let mut owned = owned;
                    owned.begun = true;
                })
            };
            drop((0..CLOSURES).map(closure).collect::<Vec<_>>());
            drop(tell);
            let all = reactor.unblock(move || told.iter().collect::<Vec<_>>()).await;
            assert_eq!(all.len(), CLOSURES);
            assert!(all.iter().all(|(thread, _)| *thread != host));
            if all.iter().any(|(_, begun)| !begun) {
                break;
            }
            assert!(Instant::now() < limit, "all of them begin before they are dropped");
        }
        // One that runs goes on, and its result is dropped over there.
        let (tell, told) = mpsc::channel();
        let (begin, begins) = mpsc::channel();
        let (go, goes) = mpsc::channel::<()>();
        let work = reactor.unblock(move || {
            let owned = Owned { tell, begun: true };
            begin.send(()).unwrap();
            goes.recv().unwrap();
            owned
        });
        let begins = reactor.unblock(move || begins.recv());
        begins.await.unwrap();
        assert!(work.cancel().await.is_none());
        go.send(()).unwrap();
        let (thread, _) = reactor.unblock(move || told.recv()).await.unwrap();
        assert_ne!(thread, host);
    });
}

/// Behaviour 55, 54.
fn a_thousand_closures_all_run(world: &World) {
    task(world, |reactor| async move {
        let tasks: Vec<_> = (0..1000_u64).map(|number| reactor.unblock(move || number)).collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        assert_eq!(sum, 499_500);
    });
}

/// Behaviour 55: its result comes, in time for a trigger.
fn the_shutdown_waits_for_a_closure_that_runs(world: &World) {
    for orderly in [false, true] {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let (begun, begins) = mpsc::channel();
        let (go, goes) = mpsc::channel();
        let ended = Arc::new(AtomicBool::new(false));
        let (end, came) = (Arc::clone(&ended), Rc::new(Cell::new(false)));
        let work = reactor.unblock(move || {
            begun.send(()).unwrap();
            goes.recv().unwrap();
            end.store(true, Ordering::Release);
        });
        let comes = Rc::clone(&came);
        reactor.spawn_then(work, move |()| comes.set(true)).detach();
        begins.recv().unwrap();
        // It ends many turns after the last trigger of its phase.
        let inner = reactor.handle();
        let lets_go = async move {
            for _ in 0..10 {
                inner.sleep(Duration::ZERO).await;
            }
            go.send(()).unwrap();
        };
        let spawns = reactor.handle();
        let before = async move { spawns.spawn_local(lets_go).detach() };
        let before = reactor.on_shutdown(Phase::Before, before).unwrap();
        let seen = Rc::new(Cell::new(None));
        let (see, has_ended) = (Rc::clone(&seen), Arc::clone(&ended));
        let looks = async move { see.set(Some(has_ended.load(Ordering::Acquire))) };
        let trigger = reactor.on_shutdown(Phase::During, looks).unwrap();
        if orderly {
            let finished = reactor.finish(LIMIT).unwrap();
            assert!(finished.is_clean(), "{finished}");
        } else {
            reactor.stop();
            crate::shutdown::run_until_stopped(&reactor, &host);
        }
        assert!(ended.load(Ordering::Acquire) && came.get());
        assert_eq!(seen.get(), Some(true), "the next phase comes after it");
        drop((before, trigger));
    }
}

/// Behaviour 41, 55.
fn finish_names_a_closure_that_does_not_end(world: &World) {
    let reactor = world.reactor();
    let host = world.has_host().then(|| world.host(&reactor));
    let (release, released) = mpsc::channel::<()>();
    let released = Mutex::new(released);
    reactor.unblock(move || released.lock().unwrap().recv()).detach();
    let finished = reactor.finish(Duration::from_millis(20)).unwrap();
    let named = |name: &String| name.starts_with("blocking call") && name.contains("pool.rs");
    assert!(finished.abandoned.iter().any(named), "{finished}");
    drop((reactor, host));
    // It ends when nobody waits any more, and that is silent.
    drop(release);
}

/// Behaviour 55: the host thread waits for the pool, and the pool for the host thread.
fn a_closure_that_calls_the_host_thread_does_not_hang_the_shutdown(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let remote = reactor.remote();
    let (begun, begins) = mpsc::channel();
    let (go, goes) = mpsc::channel::<()>();
    let work = reactor.unblock(move || {
        begun.send(()).unwrap();
        goes.recv().unwrap();
        (0..10).map(|number| remote.call_blocking(move || number).unwrap()).sum::<u32>()
    });
    let came = Rc::new(Cell::new(0));
    let comes = Rc::clone(&came);
    reactor.spawn_then(work, move |sum| comes.set(sum)).detach();
    begins.recv().unwrap();
    // It calls in the shutdown, not before.
    let trigger = reactor.on_shutdown(Phase::Before, async move { go.send(()).unwrap() }).unwrap();
    let finished = reactor.finish(LIMIT).unwrap();
    assert!(finished.is_clean(), "{finished}");
    assert_eq!(came.get(), 45);
    drop((trigger, host));
}

/// The budget ends the turn between the result and the one who awaits it.
fn who_awaits_the_pool_hears_of_it_in_a_shutdown_of_small_turns(world: &World) {
    let reactor = world.builder().turn_budget(1, LIMIT).build().unwrap();
    let host = world.host(&reactor);
    let (go, goes) = mpsc::channel::<()>();
    let work = reactor.unblock(move || goes.recv().unwrap());
    let came = Rc::new(Cell::new(false));
    let comes = Rc::clone(&came);
    reactor.spawn_then(work, move |()| comes.set(true)).detach();
    // One that is always woken keeps the queue from ever being empty, and the shutdown goes on.
    let busy = async {
        loop {
            yield_now().await
        }
    };
    reactor.spawn_local(busy).detach();
    let trigger = reactor.on_shutdown(Phase::Before, async move { go.send(()).unwrap() }).unwrap();
    let finished = reactor.finish(LIMIT).unwrap();
    assert!(finished.is_clean(), "{finished}");
    assert!(came.get());
    drop((trigger, host));
}

/// Issue point 1: the future is dropped, and what is in time is not disturbed.
fn a_timeout_ends_what_takes_too_long(world: &World) {
    task(world, |reactor| async move {
        let held = Rc::new(());
        let holds = Rc::clone(&held);
        let never = async move {
            let _holds = holds;
            pending::<()>().await;
        };
        let error = reactor.timeout(Duration::from_millis(5), never).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        assert!(error.to_string().contains("5ms"), "{error}");
        assert_eq!(Rc::strong_count(&held), 1);
        assert_eq!(reactor.timeout(LIMIT, async { 7 }).await.unwrap(), 7);
        assert_eq!(reactor.timeout(Duration::ZERO, async { 7 }).await.unwrap(), 7, "in time");
        let slow = reactor.timeout(Duration::MAX, reactor.sleep(Duration::from_millis(5)));
        slow.await.unwrap();
        assert!(once(reactor.timeout(LIMIT, pending::<()>())).await.is_none());
    });
}

/// Issue point 7: dropping the task before drops both.
fn a_callback_gets_what_a_future_gives(world: &World) {
    task(world, |reactor| async move {
        let (got, came) = (Rc::new(Cell::new(0)), Flag::default());
        let (put, set) = (Rc::clone(&got), came.clone());
        let sleep = reactor.sleep(Duration::from_millis(1));
        let future = async move {
            sleep.await;
            7
        };
        let callback = move |number| {
            put.set(number);
            set.set();
        };
        reactor.spawn_then(future, callback).detach();
        came.wait().await;
        assert_eq!(got.get(), 7);
        let held = Rc::clone(&got);
        let dropped = reactor.spawn_then(pending::<()>(), move |()| held.set(8));
        yield_now().await;
        assert!(dropped.cancel().await.is_none());
        assert_eq!((got.get(), Rc::strong_count(&got)), (7, 1));
    });
}

/// Issue point 1.
fn block_on_gives_what_a_borrowing_future_gives(world: &World) {
    let reactor = world.reactor();
    let mut text = String::from("bor");
    let handle = reactor.handle();
    for part in ["row", "ed"] {
        let grown = reactor.block_on(async {
            handle.sleep(Duration::from_millis(1)).await;
            text.push_str(part);
            text.len()
        });
        assert_eq!(grown.unwrap(), text.len());
    }
    assert_eq!(text, "borrowed");
}

/// Issue point 1: and they rest afterwards, until it is driven again.
fn block_on_runs_timers_and_tasks_meanwhile(world: &World) {
    let reactor = world.reactor();
    let (fired, polled) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let count = Rc::clone(&fired);
    let timer = reactor.every(Duration::from_millis(1), move || {
        count.set(count.get() + 1);
        std::ops::ControlFlow::Continue(())
    });
    let count = Rc::clone(&polled);
    let task = reactor.spawn_local(async move {
        loop {
            count.set(count.get() + 1);
            yield_now().await;
        }
    });
    for round in 1..4 {
        reactor
            .block_on(async {
                while fired.get() < 5 * round || polled.get() < 5 * round {
                    yield_now().await;
                }
            })
            .unwrap();
    }
    drop((timer, task));
}

/// Issue point 1: many of them, before, during and after its poll.
fn block_on_hears_of_wakes_from_other_threads(world: &World) {
    const WAKES: u32 = 2000;
    let reactor = world.reactor();
    let slot: Arc<Mutex<Option<Waker>>> = Arc::default();
    let sent = Arc::new(AtomicU32::new(0));
    let (takes, sends) = (Arc::clone(&slot), Arc::clone(&sent));
    let thread = thread::spawn(move || {
        while sends.load(Ordering::Acquire) < WAKES {
            let waker = takes.lock().unwrap().take();
            if let Some(waker) = waker {
                sends.fetch_add(1, Ordering::AcqRel);
                waker.wake();
            }
        }
    });
    let mut heard = 0;
    let hears = poll_fn(|cx| {
        *slot.lock().unwrap() = Some(cx.waker().clone());
        heard = sent.load(Ordering::Acquire);
        if heard == WAKES { Poll::Ready(()) } else { Poll::Pending }
    });
    reactor.block_on(hears).unwrap();
    assert_eq!(heard, WAKES);
    thread.join().unwrap();
}

/// Issue point 1: that of the future, and that of a callback.
fn block_on_lets_a_panic_through_and_works_again(world: &World) {
    let reactor = world.reactor();
    let handle = reactor.handle();
    let panics = async {
        handle.sleep(Duration::from_millis(1)).await;
        std::panic::panic_any("of the future");
    };
    let panic = catch_unwind(AssertUnwindSafe(|| reactor.block_on(panics))).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "of the future");
    reactor.after(Duration::ZERO, || std::panic::panic_any("of a timer")).detach();
    let blocked = AssertUnwindSafe(|| reactor.block_on(pending::<()>()));
    let panic = catch_unwind(blocked).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "of a timer");
    let slept = reactor.block_on(async {
        handle.sleep(Duration::from_millis(1)).await;
        7
    });
    assert_eq!(slept.unwrap(), 7);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

/// Behaviour 39: before, meanwhile; the future is dropped.
fn block_on_ends_with_the_reactor(world: &World) {
    let reactor = world.reactor();
    let stopper = reactor.handle();
    reactor.after(Duration::from_millis(1), move || stopper.stop()).detach();
    let held = Rc::new(());
    let holds = Rc::clone(&held);
    let never = async move {
        let _holds = holds;
        pending::<()>().await;
    };
    assert_eq!(reactor.block_on(never).unwrap_err().kind(), ErrorKind::NotConnected);
    assert_eq!(Rc::strong_count(&held), 1);
    assert!(reactor.is_stopped());
    let again = reactor.block_on(async { 7 }).unwrap_err();
    assert_eq!(again.kind(), ErrorKind::NotConnected);
}

/// Issue point 1: it would hold up what it is called by.
fn block_on_in_a_callback_is_an_error(world: &World) {
    let reactor = world.reactor();
    let kinds = Rc::new(RefCell::new(Vec::new()));
    let (put, inner) = (Rc::clone(&kinds), reactor.handle());
    let timer = reactor.after(Duration::ZERO, move || {
        put.borrow_mut().push(inner.block_on(async {}).unwrap_err().kind());
    });
    let handle = reactor.handle();
    reactor
        .block_on(async {
            let nested = pin!(async { handle.block_on(async {}) });
            let kind = nested.await.unwrap_err().kind();
            kinds.borrow_mut().push(kind);
            while kinds.borrow().len() < 2 {
                yield_now().await;
            }
        })
        .unwrap();
    assert_eq!(*kinds.borrow(), [ErrorKind::AlreadyExists; 2]);
    drop(timer);
}

/// Behaviour 2: which goes on undisturbed.
fn block_on_beside_a_host_is_an_error(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let error = reactor.block_on(async {}).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AlreadyExists);
    let done = host.clone();
    reactor.after(Duration::from_millis(1), move || done.done()).detach();
    host.run();
}
