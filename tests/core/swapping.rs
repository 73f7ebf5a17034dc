//! By which waker the host is woken: `swap`, `hold` and `release`, and what has ended for good.

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Interest, Reactor, Report, Tick, WakerProxy};

use crate::cases;
use crate::waking::{Ran, dawdle, event, signal};
use crate::world::{Host, LIMIT, Queue, World};

cases!(
    ;
    interleaved:
    swap_returns_when_the_old_waker_is_gone,
    swap_inside_the_waker_is_an_error,
    swap_with_a_tick_outstanding_loses_nothing,
    swap_with_nothing_owed_wakes_nobody,
    holds_nest_and_release_replays_one_wake,
    release_replays_nothing_when_nothing_is_owed,
    no_waker_runs_when_finish_has_returned,
    no_waker_runs_when_the_reactor_was_dropped,
);

/// A waker that knows when it must not run.
#[derive(Default)]
struct Tenure {
    inside: AtomicUsize,
    retired: AtomicBool,
    called_in_retirement: AtomicBool,
}

impl Tenure {
    fn waker(self: &Arc<Tenure>, queue: &Queue) -> impl Fn(Tick) + Send + Sync + 'static {
        let (tenure, queue) = (Arc::clone(self), queue.clone());
        move |tick| {
            tenure.inside.fetch_add(1, Ordering::SeqCst);
            (0..3).for_each(|_| thread::yield_now());
            if tenure.retired.load(Ordering::SeqCst) {
                tenure.called_in_retirement.store(true, Ordering::SeqCst);
            }
            queue.post(tick);
            tenure.inside.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// From here on the waker must not be called, must not be running, and must be dropped.
    fn retire(self: &Arc<Tenure>) {
        self.retired.store(true, Ordering::SeqCst);
        assert_eq!(self.inside.load(Ordering::SeqCst), 0, "the waker runs on");
        assert_eq!(Arc::strong_count(self), 1, "the waker is still there");
    }

    fn check(&self) {
        assert!(!self.called_in_retirement.load(Ordering::SeqCst), "the waker was called later");
    }
}

/// Threads that call until they are told to stop, or are refused.
struct Callers {
    stop: Arc<AtomicBool>,
    threads: Vec<thread::JoinHandle<usize>>,
}

impl Callers {
    fn start(reactor: &Reactor, ran: &Arc<AtomicUsize>) -> Callers {
        let stop = Arc::new(AtomicBool::new(false));
        let threads = (0..2_u32).map(|mut random| {
            let (stop, ran, remote) = (Arc::clone(&stop), Arc::clone(ran), reactor.remote());
            thread::spawn(move || {
                let mut taken = 0;
                while !stop.load(Ordering::Acquire) {
                    let ran = Arc::clone(&ran);
                    let call = move || _ = ran.fetch_add(1, Ordering::AcqRel);
                    if remote.call(call).is_err() {
                        break;
                    }
                    taken += 1;
                    dawdle(&mut random, 40_000);
                }
                taken
            })
        });
        Callers { threads: threads.collect(), stop }
    }

    /// How many calls were taken.
    fn end(self) -> usize {
        self.stop.store(true, Ordering::Release);
        self.threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    }
}

/// Behaviour 8, beside threads that wake all the time. The ticks of an old waker are kept and never
/// run, so that what they announced depends on the new one.
fn swap_returns_when_the_old_waker_is_gone(world: &World) {
    let reactor = world.patient().build().unwrap();
    let mut tenures = vec![Arc::new(Tenure::default())];
    let mut queues = vec![Queue::default()];
    let proxy = reactor.interleave(tenures[0].waker(&queues[0])).unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    let callers = Callers::start(&reactor, &ran);
    for round in 0..300 {
        let queue = &queues[round];
        queue.take(Instant::now() + LIMIT).expect("a tick comes").run();
        let (tenure, queue) = (Arc::new(Tenure::default()), Queue::default());
        proxy.swap(tenure.waker(&queue)).unwrap();
        tenures[round].retire();
        tenures.push(tenure);
        queues.push(queue);
    }
    let taken = callers.end();
    while ran.load(Ordering::Acquire) < taken {
        queues[300].take(Instant::now() + LIMIT).expect("a tick comes").run();
    }
    tenures.iter().for_each(|tenure| tenure.check());
    // The old ticks are harmless.
    for queue in queues {
        while let Some(tick) = queue.take(Instant::now()) {
            tick.run();
        }
    }
    assert_eq!(ran.load(Ordering::Acquire), taken);
}

/// Behaviour 8: on whatever thread the waker runs.
fn swap_inside_the_waker_is_an_error(world: &World) {
    let reactor = world.patient().build().unwrap();
    let host = Host::new(&reactor, world.drive);
    let own = Arc::new(OnceLock::<WakerProxy>::new());
    let kinds = Arc::new(Mutex::new(Vec::new()));
    let (proxy, seen, queue) = (Arc::clone(&own), Arc::clone(&kinds), host.queue.clone());
    let proxy = move |tick| {
        let error = proxy.get().unwrap().swap(drop).unwrap_err();
        seen.lock().unwrap().push(error.kind());
        queue.post(tick);
    };
    own.set(reactor.waker_proxy()).unwrap();
    reactor.interleave(proxy).unwrap();
    let ran = Ran::default();
    ran.call(&reactor.remote(), 0, 0);
    host.run_until(|| ran.len() == 1);
    let (also, remote) = (ran.clone(), reactor.remote());
    thread::spawn(move || also.call(&remote, 0, 1)).join().unwrap();
    host.run_until(|| ran.len() == 2);
    let fired = Rc::new(Cell::new(false));
    let flag = Rc::clone(&fired);
    // From the worker's thread.
    let timer = reactor.after(Duration::from_millis(1), move || flag.set(true));
    host.run_until(|| fired.get());
    drop(timer);
    assert_eq!(*kinds.lock().unwrap(), [io::ErrorKind::Deadlock; 3]);
}

/// Behaviour 8: the tick in the old waker's queue may never run, or run late, or run twice over.
fn swap_with_a_tick_outstanding_loses_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let ran = Ran::default();
    let old = Queue::default();
    let queue = old.clone();
    let proxy = reactor.interleave(move |tick| queue.post(tick)).unwrap();
    ran.call(&reactor.remote(), 0, 0);
    let lost = old.take(Instant::now()).expect("the old waker was called");
    let host = Host::new(&reactor, world.drive);
    let queue = host.queue.clone();
    proxy.swap(move |tick| queue.post(tick)).unwrap();
    assert_eq!(host.queue.len(), 1);
    host.run_until(|| ran.len() == 1);
    ran.call(&reactor.remote(), 0, 1);
    lost.run();
    host.run_until(|| ran.len() == 2);
    ran.check(1, 2);
    assert_eq!(old.len(), 0);
}

/// Behaviour 8 and 9.
fn swap_with_nothing_owed_wakes_nobody(world: &World) {
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let ran = Ran::default();
    ran.call(&reactor.remote(), 0, 0);
    host.run_until(|| ran.len() == 1);
    let queue = host.queue.clone();
    reactor.waker_proxy().swap(move |tick| queue.post(tick)).unwrap();
    assert_eq!((reactor.stats().wakes_issued, host.queue.len()), (1, 0));
}

/// Behaviour 9.
fn holds_nest_and_release_replays_one_wake(world: &World) {
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let proxy = reactor.waker_proxy();
    assert_eq!(proxy.release().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    let ran = Ran::default();
    let fired = Rc::new(Cell::new(false));
    let flag = Rc::clone(&fired);
    proxy.hold();
    proxy.hold();
    let event = event();
    signal(&event);
    let source = reactor.register(event, Interest::READABLE, move |_, _| {
        flag.set(true);
        Action::Disarm
    });
    thread::scope(|scope| {
        for thread in 0..4 {
            let (ran, remote) = (ran.clone(), reactor.remote());
            scope.spawn(move || (0..100).for_each(|number| ran.call(&remote, thread, number)));
        }
    });
    watched.until(|seen| seen.events == 1 && seen.is_waiting());
    proxy.release().unwrap();
    assert_eq!(host.queue.len(), 0, "one hold is left");
    proxy.release().unwrap();
    assert_eq!(host.queue.len(), 1);
    host.run_until(|| ran.len() == 400 && fired.get());
    ran.check(4, 100);
    let stats = reactor.stats();
    assert_eq!((stats.wakes_issued, stats.turns), (1, 1), "{stats:?}");
    assert_eq!(proxy.release().unwrap_err().kind(), io::ErrorKind::InvalidInput);
    drop(source);
}

/// Behaviour 9: neither when nothing came, nor when a turn has run meanwhile.
fn release_replays_nothing_when_nothing_is_owed(world: &World) {
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let proxy = reactor.waker_proxy();
    proxy.hold();
    proxy.release().unwrap();
    assert_eq!(host.queue.len(), 0);
    proxy.hold();
    let ran = Ran::default();
    ran.call(&reactor.remote(), 0, 0);
    reactor.turn();
    assert_eq!(ran.len(), 1);
    proxy.release().unwrap();
    assert_eq!((reactor.stats().wakes_issued, host.queue.len()), (0, 0));
    ran.call(&reactor.remote(), 0, 1);
    host.run_until(|| ran.len() == 2);
}

/// Behaviour 10, and 8 for the last of the wakers: what it posts to may be destroyed.
fn no_waker_runs_when_finish_has_returned(world: &World) {
    for _ in 0..10 {
        let reactor = world.patient().build().unwrap();
        let (tenure, queue) = (Arc::new(Tenure::default()), Queue::default());
        reactor.interleave(tenure.waker(&queue)).unwrap();
        let ran = Arc::new(AtomicUsize::new(0));
        let callers = Callers::start(&reactor, &ran);
        let timer = reactor.every(Duration::from_micros(50), || ControlFlow::Continue(()));
        for _ in 0..3 {
            queue.take(Instant::now() + LIMIT).expect("a tick comes").run();
        }
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        tenure.retire();
        let taken = callers.end();
        assert_eq!(ran.load(Ordering::Acquire), taken, "every call that was taken runs");
        drop((timer, reactor));
        tenure.check();
    }
}

/// Behaviour 10, for the abrupt end. It waits for the waker only so long, and says so.
fn no_waker_runs_when_the_reactor_was_dropped(world: &World) {
    for _ in 0..10 {
        let late = Arc::new(AtomicBool::new(false));
        let flag = Arc::clone(&late);
        let reporter = move |_: &Report<'_>| flag.store(true, Ordering::Release);
        let reactor = world.patient().reporter(reporter).build().unwrap();
        let (tenure, queue) = (Arc::new(Tenure::default()), Queue::default());
        reactor.interleave(tenure.waker(&queue)).unwrap();
        let callers = Callers::start(&reactor, &Arc::default());
        let timer = reactor.every(Duration::from_micros(50), || ControlFlow::Continue(()));
        for _ in 0..3 {
            queue.take(Instant::now() + LIMIT).expect("a tick comes").run();
        }
        drop((timer, reactor));
        if !late.load(Ordering::Acquire) {
            tenure.retire();
        }
        callers.end();
        tenure.check();
    }
}
