//! When the host is woken, and how often, from before its loop runs until the worker has parked.

use std::cell::Cell;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Interest, Reactor, Remote, Tick};
use rustix::event::{EventfdFlags, eventfd};

use crate::cases;
use crate::watched::NEVER;
use crate::world::{Drive, LIMIT, World};

cases!(
    a_driven_reactor_refuses_another_drive_and_goes_on,
    no_call_is_lost_before_the_park;
    interleaved:
    all_calls_before_the_host_lives_cost_one_wake,
    all_that_was_ready_before_the_host_lives_costs_one_wake,
    a_refused_interleave_does_not_disturb_the_first,
    no_timer_is_lost_about_the_park,
    no_registration_is_lost_about_the_park,
    calls_from_many_threads_cost_a_wake_for_each_turn_at_most,
    however_many_become_ready_it_is_one_wake,
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
pub fn dawdle(random: &mut u32, most: u64) {
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
