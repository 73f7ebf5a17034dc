//! Calls from other threads.

use std::cell::Cell;
use std::io;
use std::marker::PhantomData;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex, mpsc};
use std::task::Waker;
use std::thread::{self, ThreadId};
use std::time::Duration;

use interloop::{Action, Interest, Phase, Remote};

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
    calls_that_race_with_the_shutdown_run_or_come_back,
    calls_that_race_with_the_drop_are_accounted_for,
    calls_that_race_with_finish_run_or_come_back,
    a_call_may_call_again_during_the_shutdown,
    a_remote_outlives_its_reactor,
    what_is_not_send_is_dropped_on_the_host_thread,
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

/// One caller's calls: each is counted once, where it ended.
#[derive(Default)]
struct Ledger {
    taken: AtomicU64,
    ran: AtomicU64,
    came_back: AtomicU64,
    dropped: AtomicU64,
    wrong: AtomicU64,
}

/// A call's entry in the ledger, which the closure owns.
struct Entry {
    ledger: Arc<Ledger>,
    number: u64,
    caller: ThreadId,
    ran: bool,
}

impl Entry {
    /// The call runs: on the host thread, or on the caller's, where it came back to.
    fn run(mut self) {
        self.ran = true;
        if thread::current().id() != self.caller {
            if self.ledger.ran.fetch_add(1, Ordering::Relaxed) != self.number {
                self.ledger.wrong.fetch_add(1, Ordering::Relaxed);
            }
        } else {
            self.ledger.came_back.fetch_add(1, Ordering::Relaxed);
            if self.ledger.taken.load(Ordering::Relaxed) != self.number {
                self.ledger.wrong.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        if !self.ran {
            self.ledger.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Four threads that call until they are refused.
struct Callers {
    ledgers: Vec<Arc<Ledger>>,
    threads: Vec<thread::JoinHandle<()>>,
}

impl Callers {
    fn start(remote: &Remote) -> Callers {
        const CALLERS: usize = 4;
        let ledgers: Vec<_> = (0..CALLERS).map(|_| Arc::new(Ledger::default())).collect();
        let begin = Arc::new(Barrier::new(CALLERS));
        let threads = ledgers
            .iter()
            .map(|ledger| {
                let (ledger, remote) = (Arc::clone(ledger), remote.clone());
                let begin = Arc::clone(&begin);
                thread::spawn(move || {
                    begin.wait();
                    let caller = thread::current().id();
                    for number in 0.. {
                        // Does not run ahead of the host, so that the end meets a short queue.
                        while number > ledger.ran.load(Ordering::Relaxed) + 500
                            && !remote.is_stopped()
                        {
                            thread::yield_now();
                        }
                        let kept = Arc::clone(&ledger);
                        let entry = Entry { ledger: kept, number, caller, ran: false };
                        match remote.call(move || entry.run()) {
                            Ok(()) => ledger.taken.fetch_add(1, Ordering::Relaxed),
                            Err(refused) => return (refused.f)(),
                        };
                    }
                })
            })
            .collect();
        Callers { ledgers, threads }
    }

    /// Waits for the callers, and checks that each call that was taken ended once; how many of them
    /// did not run.
    fn settle(self) -> u64 {
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        let mut dropped = 0;
        for ledger in &self.ledgers {
            let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
            assert_eq!(read(&ledger.wrong), 0, "out of order, or another's closure came back");
            assert_eq!(read(&ledger.came_back), 1, "the refused one comes back");
            assert_eq!(read(&ledger.ran) + read(&ledger.dropped), read(&ledger.taken));
            dropped += read(&ledger.dropped);
        }
        dropped
    }
}

/// Behaviour 34: counted, from four threads, over and over.
fn calls_that_race_with_the_shutdown_run_or_come_back(world: &World) {
    for round in 0..10 {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let callers = Callers::start(&reactor.remote());
        let stopper = reactor.remote();
        let done = host.clone();
        let trigger = reactor.on_shutdown(Phase::After, async move { done.done() }).unwrap();
        // Some rounds end in a flood, some before it has begun.
        let delay = Duration::from_micros(100 * (round % 10));
        let timer = reactor.after(delay, move || stopper.stop());
        host.run();
        drop((timer, trigger));
        if !reactor.is_stopped() {
            host.run_until(|| reactor.is_stopped());
        }
        assert_eq!(callers.settle(), 0, "no call that was taken is dropped");
    }
}

/// Behaviour 34: dropping the reactor drops what has not run, and nothing vanishes.
fn calls_that_race_with_the_drop_are_accounted_for(world: &World) {
    for _ in 0..5 {
        let reactor = world.reactor();
        let host = world.has_host().then(|| world.host(&reactor));
        let callers = Callers::start(&reactor.remote());
        while callers.ledgers.iter().any(|ledger| ledger.taken.load(Ordering::Relaxed) == 0) {
            reactor.turn();
            thread::yield_now();
        }
        drop((reactor, host));
        callers.settle();
    }
}

/// Behaviour 34, 40.
fn calls_that_race_with_finish_run_or_come_back(world: &World) {
    for _ in 0..5 {
        let reactor = world.reactor();
        let host = world.has_host().then(|| world.host(&reactor));
        let callers = Callers::start(&reactor.remote());
        while callers.ledgers.iter().any(|ledger| ledger.taken.load(Ordering::Relaxed) == 0) {
            thread::yield_now();
        }
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        drop(host);
        assert_eq!(callers.settle(), 0, "no call that was taken is dropped");
    }
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

/// Must be dropped where it was made.
struct HostOnly {
    home: ThreadId,
    dropped: Arc<AtomicUsize>,
    abroad: Arc<AtomicUsize>,
    _not_send: PhantomData<Rc<()>>,
}

impl Drop for HostOnly {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if thread::current().id() != self.home {
            self.abroad.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Behaviour 36: captured by callbacks of every kind and by futures; the last handle, and wakers of
/// the tasks, are on other threads.
fn what_is_not_send_is_dropped_on_the_host_thread(world: &World) {
    for orderly in [false, true] {
        let (dropped, abroad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut made = 0;
        let mut host_only = || {
            made += 1;
            HostOnly {
                home: thread::current().id(),
                dropped: Arc::clone(&dropped),
                abroad: Arc::clone(&abroad),
                _not_send: PhantomData,
            }
        };
        let reactor = world.unhurried();
        let host = world.has_host().then(|| world.host(&reactor));
        let (a, _b) = UnixStream::pair().unwrap();
        let captured = host_only();
        let source = reactor.register(a, Interest::READABLE, move |_, _| {
            let _ = &captured;
            Action::Rearm
        });
        source.unwrap().detach();
        let captured = host_only();
        reactor.after(Duration::from_secs(1000), move || drop(captured)).detach();
        for phase in [Phase::Before, Phase::During, Phase::After] {
            let captured = host_only();
            reactor.on_shutdown(phase, async move { drop(captured) }).unwrap().detach();
        }
        let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
        for _ in 0..10 {
            let (captured, wakers) = (host_only(), Arc::clone(&wakers));
            let task = reactor.spawn_local(async move {
                let _captured = captured;
                let polled = std::future::poll_fn(|cx| {
                    wakers.lock().unwrap().push(cx.waker().clone());
                    std::task::Poll::<()>::Pending
                });
                polled.await;
            });
            task.detach();
        }
        reactor.turn();
        assert_eq!(wakers.lock().unwrap().len(), 10);
        // Wakes them while the reactor ends, and is the last to let everything go.
        let remote = reactor.remote();
        let go = Arc::new(Barrier::new(2));
        let going = Arc::clone(&go);
        let last = thread::spawn(move || {
            let wakers = wakers.lock().unwrap().split_off(0);
            going.wait();
            while !remote.is_stopped() {
                wakers.iter().for_each(Waker::wake_by_ref);
            }
            wakers.into_iter().for_each(Waker::wake);
        });
        go.wait();
        if orderly {
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        }
        drop((reactor, host));
        last.join().unwrap();
        assert_eq!(abroad.load(Ordering::Relaxed), 0, "dropped on a foreign thread");
        assert_eq!(dropped.load(Ordering::Relaxed), made, "each dropped once");
    }
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
