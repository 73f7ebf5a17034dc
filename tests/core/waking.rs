//! When the host is woken, how often, and by which waker.

use std::cell::{Cell, RefCell};
use std::io;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest, Reactor, Remote, Report, Stats, Tick, WakerProxy};
use rustix::event::{EventfdFlags, eventfd};

use crate::cases;
use crate::watched::NEVER;
use crate::world::{Drive, Host, LIMIT, Queue, World};

cases!(
    a_driven_reactor_refuses_another_drive_and_goes_on,
    no_call_is_lost_before_the_park,
    an_idle_period_has_no_turn,
    a_flood_of_timers_does_not_keep_the_others_from_running;
    interleaved:
    all_calls_before_the_host_lives_cost_one_wake,
    all_that_was_ready_before_the_host_lives_costs_one_wake,
    a_refused_interleave_does_not_disturb_the_first,
    no_timer_is_lost_about_the_park,
    no_registration_is_lost_about_the_park,
    calls_from_many_threads_cost_a_wake_for_each_turn_at_most,
    however_many_become_ready_it_is_one_wake,
    swap_returns_when_the_old_waker_is_gone,
    swap_inside_the_waker_is_an_error,
    swap_with_a_tick_outstanding_loses_nothing,
    swap_with_nothing_owed_wakes_nobody,
    holds_nest_and_release_replays_one_wake,
    release_replays_nothing_when_nothing_is_owed,
    no_waker_runs_when_finish_has_returned,
    no_waker_runs_when_the_reactor_was_dropped,
    an_idle_second_has_no_wake_and_no_return_of_the_worker,
    what_only_the_worker_must_know_wakes_no_host,
    an_echo_costs_one_wake_for_each_event,
    a_timer_costs_one_wake,
    an_earlier_timer_interrupts_the_worker_once_and_a_later_one_never,
    an_overdue_timer_interrupts_the_worker_no_more,
    a_hundred_timers_of_one_callback_do_not_cost_a_hundred_interrupts,
    a_flood_of_calls_lets_the_host_run_its_own,
    a_flood_of_events_lets_the_host_run_its_own,
    a_thousand_short_periods_let_the_host_run_its_own,
);

pub fn event() -> OwnedFd {
    eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK).unwrap()
}

pub fn signal(event: &OwnedFd) {
    rustix::io::write(event, &1_u64.to_ne_bytes()).unwrap();
}

pub fn drain(event: &OwnedFd) {
    rustix::io::read(event, &mut [0_u8; 8]).unwrap();
}

/// A random delay of up to `most` nanoseconds, so that what follows meets the worker anywhere on
/// its way to the park. Not a wait for anything.
fn dawdle(random: &mut u32, most: u64) {
    *random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
    let until = Instant::now() + Duration::from_nanos(u64::from(*random >> 8) % most);
    while Instant::now() < until {
        std::hint::spin_loop();
    }
}

/// What many threads call, in the order in which it ran.
#[derive(Clone, Default)]
pub struct Ran(Arc<Mutex<Vec<(usize, usize)>>>);

impl Ran {
    pub fn call(&self, remote: &Remote, thread: usize, number: usize) {
        let ran = self.clone();
        remote.call(move || ran.0.lock().unwrap().push((thread, number))).unwrap();
    }

    pub fn len(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    /// Every call of every thread once, those of one thread in their order.
    pub fn check(&self, threads: usize, each: usize) {
        let ran = self.0.lock().unwrap();
        assert_eq!(ran.len(), threads * each);
        for thread in 0..threads {
            let numbers = ran.iter().filter(|(by, _)| *by == thread).map(|(_, number)| *number);
            assert!(numbers.eq(0..each), "the calls of thread {thread} are out of order");
        }
    }
}

/// Behaviour 1, and 4: N calls from M threads.
fn all_calls_before_the_host_lives_cost_one_wake(world: &World) {
    let reactor = world.patient().build().unwrap();
    let ran = Ran::default();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (ran, remote) = (ran.clone(), reactor.remote());
            scope.spawn(move || (0..2500).for_each(|number| ran.call(&remote, thread, number)));
        }
    });
    assert_eq!(reactor.stats().wakes_issued, 0);
    let host = world.host(&reactor);
    assert_eq!(host.queue.len(), 1);
    host.run_until(|| ran.len() == 10_000);
    ran.check(4, 2500);
    let stats = reactor.stats();
    assert_eq!((stats.wakes_issued, stats.turns, host.queue.len()), (1, 1, 0), "{stats:?}");
}

/// Behaviour 1, with sources that are ready, so that the worker wakes while the waker comes.
fn all_that_was_ready_before_the_host_lives_costs_one_wake(world: &World) {
    for round in 0..200 {
        let (watched, builder) = world.watched();
        let reactor = builder.build().unwrap();
        let fired = Rc::new(Cell::new(0));
        let sources: Vec<_> = (0..3)
            .map(|_| {
                let (event, count) = (event(), Rc::clone(&fired));
                signal(&event);
                let source = reactor.register(event, Interest::READABLE, move |_, _| {
                    count.set(count.get() + 1);
                    Action::Disarm
                });
                source.unwrap()
            })
            .collect();
        let proxy = reactor.waker_proxy();
        if round % 2 == 0 {
            proxy.hold();
        }
        let host = world.host(&reactor);
        if round % 2 == 0 {
            watched.until(|seen| seen.events == sources.len() && seen.is_waiting());
            assert_eq!(host.queue.len(), 0, "a held waker was called");
            proxy.release().unwrap();
        } else {
            watched.until(|seen| seen.events == sources.len() && seen.is_waiting());
        }
        host.run_until(|| fired.get() == sources.len());
        let stats = reactor.stats();
        assert_eq!((stats.wakes_issued, stats.turns), (1, 1), "round {round}: {stats:?}");
    }
}

/// Behaviour 2: never two workers, never another waker.
fn a_refused_interleave_does_not_disturb_the_first(world: &World) {
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let token = Arc::new(());
    let captured = Arc::clone(&token);
    let refused = reactor.interleave(move |tick| {
        let _captured = &captured;
        tick.detach();
    });
    assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(Arc::strong_count(&token), 1, "the refused waker was not dropped");
    assert_eq!(reactor.run().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    let ran = Ran::default();
    for number in 0..10 {
        let (also, remote) = (ran.clone(), reactor.remote());
        thread::spawn(move || also.call(&remote, 0, number)).join().unwrap();
        host.run_until(|| ran.len() > number);
    }
    ran.check(1, 10);
    let (event, fired) = (event(), Rc::new(Cell::new(false)));
    signal(&event);
    let flag = Rc::clone(&fired);
    let source = reactor.register(event, Interest::READABLE, move |_, _| {
        flag.set(true);
        Action::Disarm
    });
    host.run_until(|| fired.get());
    drop(source);
    assert_eq!(watched.seen().waiters, 1, "two workers");
}

/// Behaviour 2, from inside, on both drives.
fn a_driven_reactor_refuses_another_drive_and_goes_on(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (inner, done) = (reactor.handle(), host.clone());
    reactor
        .after(Duration::ZERO, move || {
            let interleaved = inner.interleave(drop);
            assert_eq!(interleaved.unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(inner.run().unwrap_err().kind(), io::ErrorKind::AlreadyExists);
            let finished = inner.finish(LIMIT);
            assert_eq!(finished.unwrap_err().kind(), io::ErrorKind::Deadlock);
            inner.after(Duration::from_millis(1), move || done.done()).detach();
        })
        .detach();
    host.run();
}

/// Behaviour 3: nothing but the call itself ends the park.
fn no_call_is_lost_before_the_park(world: &World) {
    const THREADS: usize = 3;
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let _hang = reactor.after(LIMIT, || panic!("hangs"));
    let left = Arc::new(AtomicUsize::new(THREADS));
    let threads: Vec<_> = (0..THREADS as u32)
        .map(|mut random| {
            let (remote, left) = (reactor.remote(), Arc::clone(&left));
            thread::spawn(move || {
                for number in 0..500 {
                    dawdle(&mut random, 40_000);
                    assert_eq!(remote.call_blocking(move || number + 1).unwrap(), number + 1);
                }
                if left.fetch_sub(1, Ordering::AcqRel) == 1 {
                    remote.stop();
                }
            })
        })
        .collect();
    match world.drive {
        Drive::Interleaved | Drive::Embed => host.run_until(|| reactor.is_stopped()),
        Drive::Run | Drive::BlockOn => reactor.run().unwrap(),
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    assert_eq!(left.load(Ordering::Acquire), 0);
}

/// A host that spins for its tick, to be back while the worker is on its way to the park.
struct Spinning {
    tick: Arc<Mutex<Option<Tick>>>,
    posted: Arc<AtomicBool>,
    random: u32,
}

impl Spinning {
    fn start(reactor: &Reactor) -> Spinning {
        let host = Spinning { tick: Arc::default(), posted: Arc::default(), random: 1 };
        let (place, posted) = (Arc::clone(&host.tick), Arc::clone(&host.posted));
        let waker = move |tick| {
            *place.lock().unwrap() = Some(tick);
            posted.store(true, Ordering::Release);
        };
        reactor.interleave(waker).unwrap();
        host
    }

    /// Runs the host until `done`, and then for some moments more: up to 4 us.
    fn run_until(&mut self, reactor: &Reactor, done: impl Fn() -> bool) {
        let limit = Instant::now() + LIMIT;
        while !done() {
            let mut spins = 0_u32;
            while !self.posted.swap(false, Ordering::AcqRel) {
                spins += 1;
                if spins % 1000 == 0 {
                    assert!(Instant::now() < limit, "hangs: {:?}", reactor.stats());
                    // The worker may want this very processor.
                    thread::yield_now();
                }
                std::hint::spin_loop();
            }
            let tick = self.tick.lock().unwrap().take();
            tick.into_iter().for_each(Tick::run);
        }
        dawdle(&mut self.random, 4_000);
    }
}

/// Behaviour 3 and 12: a lost interrupt would leave the worker parked for an hour.
fn no_timer_is_lost_about_the_park(world: &World) {
    let reactor = world.patient().build().unwrap();
    let mut host = Spinning::start(&reactor);
    let _far = reactor.after(NEVER, || ());
    for round in 0..8000 {
        let fired = Rc::new(Cell::new(false));
        let flag = Rc::clone(&fired);
        // Now or a moment later, after a while that the worker may or may not take to the park.
        let delay = Duration::from_nanos(u64::from(host.random >> 8) % 8_000);
        let timer = reactor.after(delay, move || flag.set(true));
        host.run_until(&reactor, || fired.get());
        drop(timer);
        if round % 3 == 0 {
            // A timer that is cancelled leaves a deadline behind that nobody waits for.
            drop(reactor.after(Duration::from_micros(20), || unreachable!()));
        }
    }
}

/// Behaviour 3: poll and select learn of a registration when their wait begins.
fn no_registration_is_lost_about_the_park(world: &World) {
    let reactor = world.patient().build().unwrap();
    let mut host = Spinning::start(&reactor);
    let source = |fired: &Rc<Cell<u32>>| {
        let (event, count) = (event(), Rc::clone(fired));
        signal(&event);
        let source = reactor.register(event, Interest::READABLE, move |_, _| {
            count.set(count.get() + 1);
            Action::Disarm
        });
        source.unwrap()
    };
    for _ in 0..300 {
        let fired = Rc::new(Cell::new(0));
        let source = source(&fired);
        for armed in 1..10 {
            host.run_until(&reactor, || fired.get() == armed);
            source.arm(Interest::READABLE).unwrap();
        }
        host.run_until(&reactor, || fired.get() == 10);
    }
}

/// Behaviours 4 and 5: as many wakes as turns, and one that is under way; the last call runs too.
fn calls_from_many_threads_cost_a_wake_for_each_turn_at_most(world: &World) {
    const EACH: usize = 10_000;
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let ran = Ran::default();
    let threads: Vec<_> = (0..4)
        .map(|thread| {
            let (ran, remote) = (ran.clone(), reactor.remote());
            thread::spawn(move || (0..EACH).for_each(|number| ran.call(&remote, thread, number)))
        })
        .collect();
    host.run_until(|| ran.len() == 4 * EACH);
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    ran.check(4, EACH);
    let stats = reactor.stats();
    assert!((1..=stats.turns + 1).contains(&stats.wakes_issued), "{stats:?}");
    assert_eq!(stats.wakes_requested, stats.wakes_issued + stats.wakes_coalesced, "{stats:?}");
}

/// Behaviour 4: the worker collects in one wait or in several; the host hears of it once.
fn however_many_become_ready_it_is_one_wake(world: &World) {
    for count in [1, 10, 100, 1000] {
        let (watched, builder) = world.watched();
        let reactor = builder.build().unwrap();
        let host = world.host(&reactor);
        let fired = Rc::new(Cell::new(0));
        let sources: Vec<_> = (0..count)
            .map(|_| {
                let fired = Rc::clone(&fired);
                let source = reactor.register(event(), Interest::READABLE, move |event, _| {
                    drain(event);
                    fired.set(fired.get() + 1);
                    Action::Rearm
                });
                source.unwrap()
            })
            .collect();
        for round in 1..=3 {
            sources.iter().for_each(|source| signal(source.get_ref()));
            watched.until(|seen| seen.events == round * count && seen.is_waiting());
            assert_eq!(host.queue.len(), 1);
            host.run_until(|| fired.get() == round * count);
            let stats = reactor.stats();
            let expected = (round as u64, round as u64, 0);
            assert_eq!((stats.wakes_issued, stats.turns, stats.wakes_nested), expected);
        }
    }
}

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

/// Behaviour 11, with everything as it comes. The watch over the last tick and the last callback
/// ends by itself; then there is nothing.
fn an_idle_second_has_no_wake_and_no_return_of_the_worker(world: &World) {
    const SECOND: Duration = Duration::from_secs(1);
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let far: Vec<_> = (1..100).map(|factor| reactor.after(NEVER * factor, || ())).collect();
    let sources: Vec<_> = (0..20)
        .map(|_| {
            let source = reactor.register(event(), Interest::READABLE, |event, _| {
                drain(event);
                Action::Rearm
            });
            source.unwrap()
        })
        .collect();
    let ran = Ran::default();
    (0..10).for_each(|number| ran.call(&reactor.remote(), 0, number));
    sources.iter().for_each(|source| signal(source.get_ref()));
    host.run_until(|| reactor.stats().events == 20 && ran.len() == 10);
    let quiet = |stats: &Stats| (stats.worker_returns, stats.wakes_issued, stats.turns);
    let limit = Instant::now() + LIMIT;
    let mut quiet_seconds = 0;
    while quiet_seconds < 2 {
        let before = reactor.stats();
        while let Some(tick) = host.queue.take(Instant::now() + SECOND) {
            tick.run();
        }
        let after = reactor.stats();
        quiet_seconds = if quiet(&before) == quiet(&after) { quiet_seconds + 1 } else { 0 };
        assert!(Instant::now() < limit, "never idle: {before:?} {after:?}");
    }
    drop((far, sources));
}

/// Behaviour 11: between two beats of a clock there is nothing.
fn an_idle_period_has_no_turn(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let source = reactor.register(event(), Interest::READABLE, |_, _| unreachable!());
    let far = reactor.after(NEVER, || ());
    let (inner, done, last) = (reactor.handle(), host.clone(), Cell::new(0));
    let clock = reactor.every(Duration::from_millis(300), move || {
        let turns = inner.stats().turns;
        if turns == last.replace(turns) + 1 {
            done.done();
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    });
    host.run();
    drop((source, far, clock));
}

/// Behaviour 11: a far timer, an unrelated timer, a registration.
fn what_only_the_worker_must_know_wakes_no_host(world: &World) {
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let parked = watched.until(|seen| seen.is_waiting());
    let timers: Vec<_> = (0..100).map(|_| reactor.after(NEVER, || ())).collect();
    timers.iter().for_each(|timer| assert!(timer.reset(NEVER / 2)));
    let sources: Vec<_> = (0..50)
        .map(|_| reactor.register(event(), Interest::READABLE, |_, _| Action::Rearm).unwrap())
        .collect();
    sources.iter().for_each(|source| source.disarm().unwrap());
    sources.iter().for_each(|source| source.arm(Interest::READABLE).unwrap());
    drop((timers, sources));
    watched.until(|seen| seen.is_waiting() && seen.ended > parked.ended);
    assert_eq!(reactor.stats().turns, 0);
    // A release is an event of poll and select, and the host closes the object: one wake for it.
    let releases = usize::from(watched.seen().events > 0) as u64;
    assert!(reactor.stats().wakes_issued <= releases, "{:?}", reactor.stats());
    drop(host);
}

/// Behaviour 11: an event, a wake.
fn an_echo_costs_one_wake_for_each_event(world: &World) {
    const ROUNDS: u64 = 500;
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let (client, server) = UnixStream::pair().unwrap();
    let echo = reactor.register(server, Interest::READABLE, |mut io, _| {
        let mut byte = [0];
        io.read_exact(&mut byte).unwrap();
        io.write_all(&byte).unwrap();
        Action::Rearm
    });
    let rounds = Rc::new(Cell::new(0));
    let count = Rc::clone(&rounds);
    let client = reactor.register(client, Interest::READABLE, move |mut io, _| {
        let mut byte = [0];
        io.read_exact(&mut byte).unwrap();
        count.set(count.get() + 1);
        if count.get() < ROUNDS {
            io.write_all(&byte).unwrap();
        }
        Action::Rearm
    });
    let client = client.unwrap();
    client.get_ref().write_all(&[7]).unwrap();
    host.run_until(|| rounds.get() == ROUNDS);
    let stats = reactor.stats();
    assert_eq!((stats.events, stats.wakes_issued), (2 * ROUNDS, 2 * ROUNDS), "{stats:?}");
    drop(echo);
}

/// Behaviour 11: a timer that comes due, a wake.
fn a_timer_costs_one_wake(world: &World) {
    fn chain(reactor: &Handle, left: u32, ended: &Rc<Cell<bool>>) {
        let (inner, ended) = (reactor.handle(), Rc::clone(ended));
        let next = move || match left {
            0 => ended.set(true),
            left => chain(&inner, left - 1, &ended),
        };
        reactor.after(Duration::from_millis(1), next).detach();
    }
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let _far = reactor.after(NEVER, || ());
    let ended = Rc::new(Cell::new(false));
    chain(&reactor, 49, &ended);
    host.run_until(|| ended.get());
    let stats = reactor.stats();
    assert_eq!((stats.timers, stats.wakes_issued, stats.turns), (50, 50, 50), "{stats:?}");
}

/// Behaviour 12, as the reactor counts it and as the backend sees it.
fn an_earlier_timer_interrupts_the_worker_once_and_a_later_one_never(world: &World) {
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let _host = world.host(&reactor);
    let mut timers = Vec::new();
    for (seconds, interrupts) in [(3600, 1), (7200, 1), (3600, 1), (1800, 2), (1801, 2), (900, 3)] {
        let before = watched.until(|seen| seen.is_waiting());
        let timer = reactor.after(Duration::from_secs(seconds), || ());
        assert_eq!(reactor.stats().interrupts, interrupts);
        assert_eq!(watched.seen().notified, interrupts);
        if before.notified < interrupts {
            watched.until(|seen| seen.begun > before.begun);
        }
        timers.push(timer);
    }
    assert!(timers[0].reset(Duration::from_secs(5000)), "a later one");
    assert_eq!(reactor.stats().interrupts, 3);
    assert_eq!(reactor.stats().wakes_requested, 0);
}

/// Behaviour 12: what waits for a turn that is owed already is not the worker's.
fn an_overdue_timer_interrupts_the_worker_no_more(world: &World) {
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let fired = Rc::new(Cell::new(false));
    let flag = Rc::clone(&fired);
    let overdue = reactor.after(Duration::from_micros(1), move || flag.set(true));
    let tick = host.queue.take(Instant::now() + LIMIT).expect("the timer is due");
    watched.until(|seen| seen.is_waiting());
    let before = reactor.stats().interrupts;
    let timers: Vec<_> = (0..10).map(|_| reactor.after(NEVER, || ())).collect();
    assert_eq!(reactor.stats().interrupts, before);
    tick.run();
    assert!(fired.get());
    assert_eq!(reactor.stats().wakes_issued, 1, "{:?}", reactor.stats());
    drop((overdue, timers));
}

/// Behaviour 12: changes of one turn are settled at its end; one interrupt more has the worker
/// watch the callback, in case that it opens a nested host loop.
fn a_hundred_timers_of_one_callback_do_not_cost_a_hundred_interrupts(world: &World) {
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let timers = Rc::new(RefCell::new(Vec::new()));
    let (inner, set) = (reactor.handle(), Rc::clone(&timers));
    let first = reactor.after(Duration::from_millis(1), move || {
        let timer = |number| inner.after(NEVER - Duration::from_secs(number), || ());
        set.borrow_mut().extend((0..100).map(timer));
    });
    watched.until(|seen| seen.is_waiting() && seen.ended > 0);
    let before = reactor.stats();
    host.run_until(|| timers.borrow().len() == 100);
    let after = reactor.stats();
    assert!(after.interrupts <= before.interrupts + 3, "{before:?} {after:?}");
    assert_eq!((after.wakes_issued, after.turns), (1, 1), "{after:?}");
    drop(first);
}

/// A host whose queue has items of its own too, in their order with the ticks.
enum Item {
    Tick(Tick),
    Own,
}

/// Runs that host until it has run 50 items of its own, each posted when the one before has run.
fn run_with_own_items(reactor: &Reactor, flooded: impl Fn() -> bool) {
    let (sender, items) = mpsc::channel();
    let waker = sender.clone();
    reactor.interleave(move |tick| _ = waker.send(Item::Tick(tick))).unwrap();
    let mut own = 0;
    while own < 50 {
        match items.recv_timeout(LIMIT).expect("the flood does not end") {
            Item::Tick(tick) => {
                tick.run();
                if own == 0 && flooded() {
                    own = 1;
                    sender.send(Item::Own).unwrap();
                }
            }
            Item::Own => {
                own += 1;
                sender.send(Item::Own).unwrap();
            }
        }
    }
}

/// Behaviours 5 and 22, for the host: a flood that feeds itself does not keep it from its queue.
fn a_flood_of_calls_lets_the_host_run_its_own(world: &World) {
    fn again(remote: Remote, began: Instant) {
        assert!(began.elapsed() < LIMIT, "the turn does not end");
        let next = remote.clone();
        // Refused at the end of the reactor, which is the end of the flood.
        _ = remote.call(move || again(next, began));
    }
    for builder in [world.builder(), world.patient().turn_budget(100, NEVER)] {
        let reactor = builder.build().unwrap();
        again(reactor.remote(), Instant::now());
        run_with_own_items(&reactor, || reactor.stats().calls > 1000);
        let stats = reactor.stats();
        assert!(stats.budget_hits > 0 && stats.wakes_leftover > 0, "{stats:?}");
    }
}

/// Behaviours 5 and 22, with sources that are always ready.
fn a_flood_of_events_lets_the_host_run_its_own(world: &World) {
    let reactor = world.patient().turn_budget(10, NEVER).build().unwrap();
    let sources: Vec<_> = (0..100)
        .map(|_| {
            let event = event();
            signal(&event);
            reactor.register(event, Interest::READABLE, |_, _| Action::Rearm).unwrap()
        })
        .collect();
    run_with_own_items(&reactor, || reactor.stats().events > 1000);
    drop(sources);
}

/// Behaviour 31.
fn a_thousand_short_periods_let_the_host_run_its_own(world: &World) {
    let reactor = world.reactor();
    let timers: Vec<_> = (0..1000)
        .map(|_| reactor.every(Duration::from_millis(1), || ControlFlow::Continue(())))
        .collect();
    run_with_own_items(&reactor, || reactor.stats().timers > 5000);
    drop(timers);
}

/// Behaviour 22 and 31: a timer that is due in every turn leaves room for everything else.
fn a_flood_of_timers_does_not_keep_the_others_from_running(world: &World) {
    let reactor = world.patient().turn_budget(4, NEVER).build().unwrap();
    let host = world.host(&reactor);
    let flood: Vec<_> =
        (0..20).map(|_| reactor.every(Duration::ZERO, || ControlFlow::Continue(()))).collect();
    let left = Arc::new(AtomicUsize::new(3));
    let (done, count) = (host.clone(), Arc::clone(&left));
    let watch = reactor.every(Duration::ZERO, move || {
        if count.load(Ordering::Acquire) > 0 {
            return ControlFlow::Continue(());
        }
        done.done();
        ControlFlow::Break(())
    });
    let (event, arrived) = (event(), Arc::clone(&left));
    signal(&event);
    let source = reactor.register(event, Interest::READABLE, move |_, _| {
        arrived.fetch_sub(1, Ordering::AcqRel);
        Action::Disarm
    });
    let (sleep, arrived) = (reactor.sleep(Duration::from_millis(2)), Arc::clone(&left));
    let task = reactor.spawn_local(async move {
        sleep.await;
        arrived.fetch_sub(1, Ordering::AcqRel);
    });
    let (remote, arrived) = (reactor.remote(), Arc::clone(&left));
    let call = move || _ = arrived.fetch_sub(1, Ordering::AcqRel);
    let caller = thread::spawn(move || remote.call(call).unwrap());
    host.run();
    caller.join().unwrap();
    drop((flood, watch, source, task));
}
