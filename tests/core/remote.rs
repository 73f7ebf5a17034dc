//! Calls from other threads.

use std::cell::Cell;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;
use std::{io, thread};

use interloop::{Phase, Remote};

use crate::cases;
use crate::futures::block_on;
use crate::world::{LIMIT, World};

cases!(
    calls_of_each_thread_run_in_their_order,
    call_blocking_gives_the_result,
    a_panic_in_call_blocking_goes_to_the_caller_and_not_to_the_host,
    call_blocking_on_the_host_thread_is_an_error_at_once,
    call_blocking_ends_when_the_reactor_is_dropped,
    a_call_whose_caller_does_not_wait_any_more_still_runs,
    a_call_may_call_again_during_the_shutdown,
    a_remote_outlives_its_reactor,
    a_refused_call_gives_its_own_closure_back,
);

/// Behaviour 33.
fn calls_of_each_thread_run_in_their_order(world: &World) {
    const THREADS: usize = 4;
    const CALLS: u64 = 5_000;
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let next = Arc::new([const { AtomicU64::new(0) }; THREADS]);
    let disorder = Arc::new(AtomicU64::new(0));
    let ended = Arc::new(AtomicUsize::new(0));
    let remote = reactor.remote();
    let callers: Vec<_> = (0..THREADS)
        .map(|caller| {
            let (next, disorder) = (Arc::clone(&next), Arc::clone(&disorder));
            let (remote, ended) = (remote.clone(), Arc::clone(&ended));
            thread::spawn(move || {
                for number in 0..CALLS {
                    let (next, disorder) = (Arc::clone(&next), Arc::clone(&disorder));
                    let call = move || {
                        if next[caller].swap(number + 1, Ordering::Relaxed) != number {
                            disorder.fetch_add(1, Ordering::Relaxed);
                        }
                    };
                    remote.call(call).unwrap();
                }
                let end = move || {
                    ended.fetch_add(1, Ordering::Relaxed);
                };
                remote.call(end).unwrap();
            })
        })
        .collect();
    let done = host.clone();
    let all = reactor.every(Duration::from_millis(1), move || {
        if ended.load(Ordering::Relaxed) == THREADS {
            done.done();
        }
        std::ops::ControlFlow::Continue(())
    });
    host.run();
    drop(all);
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    assert_eq!(disorder.load(Ordering::Relaxed), 0);
    assert!(next.iter().all(|next| next.load(Ordering::Relaxed) == CALLS));
    assert_eq!(reactor.stats().calls, THREADS as u64 * (CALLS + 1));
}

/// Runs the host on this thread while `foreign` runs on another one, and gives what that gave.
fn beside<T: Send + 'static>(
    world: &World,
    foreign: impl FnOnce(Remote) -> T + Send + 'static,
) -> T {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let remote = reactor.remote();
    let (sender, result) = mpsc::channel();
    let thread = thread::spawn(move || {
        let outcome = catch_unwind(AssertUnwindSafe(|| foreign(remote.clone())));
        remote.call(move || sender.send(outcome).unwrap()).unwrap();
    });
    let outcome = Rc::new(Cell::new(None));
    let (put, done) = (Rc::clone(&outcome), host.clone());
    let poll = reactor.every(Duration::from_millis(1), move || {
        if let Ok(outcome) = result.try_recv() {
            put.set(Some(outcome));
            done.done();
        }
        std::ops::ControlFlow::Continue(())
    });
    host.run();
    drop(poll);
    thread.join().unwrap();
    outcome.take().unwrap().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// Behaviour 33.
fn call_blocking_gives_the_result(world: &World) {
    let host = thread::current().id();
    let (number, ran_on) = beside(world, |remote| {
        let sum = (0..100).map(|n| remote.call_blocking(move || n * 2).unwrap()).sum::<u32>();
        (sum, remote.call_blocking(|| thread::current().id()).unwrap())
    });
    assert_eq!((number, ran_on), (9900, host));
}

/// Behaviour 33.
fn a_panic_in_call_blocking_goes_to_the_caller_and_not_to_the_host(world: &World) {
    let (message, after) = beside(world, |remote| {
        let call = AssertUnwindSafe(|| remote.call_blocking(|| -> u8 { panic!("a bad call") }));
        let panic = catch_unwind(call).unwrap_err();
        (*panic.downcast::<&str>().unwrap(), remote.call_blocking(|| 7).unwrap())
    });
    assert_eq!((message, after), ("a bad call", 7));
}

/// Behaviour 33: in a callback, and outside of any turn.
fn call_blocking_on_the_host_thread_is_an_error_at_once(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let remote = reactor.remote();
    let ran = Arc::new(AtomicBool::new(false));
    let mark = Arc::clone(&ran);
    let outside = remote.call_blocking(move || mark.store(true, Ordering::Relaxed));
    assert_eq!(outside.unwrap_err().kind(), io::ErrorKind::Deadlock);
    let done = host.clone();
    let (inside, mark) = (Rc::new(Cell::new(None)), Arc::clone(&ran));
    let put = Rc::clone(&inside);
    let timer = reactor.after(Duration::ZERO, move || {
        let call = remote.call_blocking(move || mark.store(true, Ordering::Relaxed));
        put.set(Some(call.unwrap_err().kind()));
        done.done();
    });
    host.run();
    drop(timer);
    assert_eq!(inside.get(), Some(io::ErrorKind::Deadlock));
    assert!(!ran.load(Ordering::Relaxed));
}

/// Behaviour 33, 35: nobody comes to the call, and the caller hears of it.
fn call_blocking_ends_when_the_reactor_is_dropped(world: &World) {
    let reactor = world.reactor();
    let _host = world.has_host().then(|| world.host(&reactor));
    let remote = reactor.remote();
    let (sender, taken) = mpsc::channel();
    let caller = thread::spawn(move || {
        sender.send(()).unwrap();
        remote.call_blocking(|| ()).unwrap_err().kind()
    });
    taken.recv_timeout(LIMIT).unwrap();
    drop(reactor);
    assert_eq!(caller.join().unwrap(), io::ErrorKind::NotConnected);
}

/// Behaviour 34: `call` returns at once, and the thread may be long gone when it runs.
fn a_call_whose_caller_does_not_wait_any_more_still_runs(world: &World) {
    let reactor = world.reactor();
    let remote = reactor.remote();
    let ran = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&ran);
    let add = move || {
        count.fetch_add(1, Ordering::Relaxed);
    };
    let caller = thread::spawn(move || {
        for _ in 0..100 {
            remote.call(add.clone()).unwrap();
        }
    });
    caller.join().unwrap();
    let host = world.host(&reactor);
    let done = host.clone();
    let timer = reactor.after(Duration::from_millis(1), move || done.done());
    host.run();
    drop(timer);
    assert_eq!(ran.load(Ordering::Relaxed), 100);
}

/// Behaviour 34: the last calls run when the inbox has closed, and what they call comes back.
fn a_call_may_call_again_during_the_shutdown(world: &World) {
    let reactor = world.reactor();
    let _host = world.has_host().then(|| world.host(&reactor));
    let outcomes = Arc::new(Mutex::new(Vec::new()));
    let remote = reactor.remote();
    let put = Arc::clone(&outcomes);
    // An After trigger posts a call that only the end itself can run.
    let trigger = reactor.on_shutdown(Phase::After, async move {
        let again = remote.clone();
        let call = move || {
            let refused = again.call(|| ()).is_err();
            put.lock().unwrap().push(refused);
        };
        remote.call(call).unwrap();
    });
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    drop(trigger);
    assert_eq!(*outcomes.lock().unwrap(), [true]);
}

/// Behaviour 35: each method, on the host thread and on another one.
fn a_remote_outlives_its_reactor(world: &World) {
    let reactor = world.reactor();
    let host = world.has_host().then(|| world.host(&reactor));
    let (remote, handle) = (reactor.remote(), reactor.handle());
    drop(reactor);
    let check = |remote: &Remote| {
        let captured = Arc::new(());
        let inside = Arc::clone(&captured);
        let refused = remote.call(move || drop(inside)).unwrap_err();
        assert_eq!(Arc::strong_count(&captured), 2, "the closure came back");
        assert_eq!(io::Error::from(refused).kind(), io::ErrorKind::NotConnected);
        assert_eq!(Arc::strong_count(&captured), 1, "nothing leaks");
        let kind = remote.call_blocking(|| ()).unwrap_err().kind();
        assert_eq!(kind, io::ErrorKind::NotConnected);
        remote.stop();
        assert!(remote.is_stopped());
        assert!(remote.stopped().wait(Duration::ZERO));
        block_on(remote.stopped());
        assert!(format!("{remote:?} {:?}", remote.stopped()).contains("true"));
    };
    check(&remote);
    thread::spawn(move || check(&remote)).join().unwrap();

    // The handle answers too.
    assert!(handle.is_stopped());
    handle.turn();
    handle.stop();
    assert_eq!(handle.run().unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert_eq!(handle.interleave(drop).unwrap_err().kind(), io::ErrorKind::NotConnected);
    let refused = handle.source(UnixStream::pair().unwrap().0).unwrap_err();
    assert_eq!(refused.error.kind(), io::ErrorKind::NotConnected);
    assert!(!handle.after(Duration::ZERO, || ()).is_pending());
    assert!(handle.spawn_local(async {}).is_finished());
    let trigger = handle.on_shutdown(Phase::After, async {});
    assert_eq!(trigger.unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert!(handle.finish(LIMIT).unwrap().is_clean());
    assert!(handle.dump().sources.is_empty());
    drop(host);
}

/// Behaviour 34: closures without a size have no address of their own.
fn a_refused_call_gives_its_own_closure_back(world: &World) {
    let reactor = world.reactor();
    let remote = reactor.remote();
    drop(reactor);
    let refused = remote.call(|| ()).unwrap_err();
    (refused.f)();
    let numbers: Vec<u32> = (0..10)
        .map(|number| {
            let kept = Arc::new(AtomicU64::new(0));
            let inside = Arc::clone(&kept);
            let call = move || inside.store(number, Ordering::Relaxed);
            (remote.call(call).unwrap_err().f)();
            kept.load(Ordering::Relaxed) as u32
        })
        .collect();
    assert_eq!(numbers, (0..10).collect::<Vec<u32>>());
}
