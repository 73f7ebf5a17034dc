//! A backend that dies.

use std::cell::{Cell, RefCell};
use std::io;
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use interloop::backends::Event;
use interloop::{Action, Interest, Phase, Poller, Reactor, Readiness, Report};

use crate::cases;
use crate::forwarding::{Between, Forwarding};
use crate::futures::Flag;
use crate::pairs::{pair, read, write};
use crate::shutdown::run_until_stopped;
use crate::world::{Drive, LIMIT, Queue, World};

cases!(
    every_source_hears_that_the_backend_failed,
    finish_works_without_a_backend_and_does_not_spin,
    a_failed_reactor_takes_no_more_sources;
    interleaved:
    timers_calls_tasks_and_the_shutdown_work_without_a_backend,
    a_backend_that_panics_has_failed,
    a_backend_that_fails_in_finish_is_reported_once,
    a_backend_that_fails_the_host_in_the_worker_s_rest_has_failed,
);

/// A real backend, until it dies.
type Mortal = Forwarding<Life>;

#[derive(Default)]
struct Life {
    dead: AtomicBool,
    panics: AtomicBool,
    /// The thread that it is dead to, where it is not to all.
    only_to: OnceLock<ThreadId>,
    waits: AtomicU64,
}

impl Life {
    fn is_over(&self) -> bool {
        let is_here = self.only_to.get().is_none_or(|only| *only == thread::current().id());
        is_here && self.dead.load(Ordering::SeqCst)
    }
}

impl Between for Life {
    fn wait(
        &self,
        events: &mut Vec<Event>,
        wait: impl FnOnce(&mut Vec<Event>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.waits.fetch_add(1, Ordering::SeqCst);
        if !self.is_over() {
            wait(events)?;
        }
        if !self.is_over() {
            return Ok(());
        }
        if self.panics.load(Ordering::SeqCst) {
            panic!("the backend's own fault");
        }
        Err(io::Error::other("the kernel is tired"))
    }
}

impl Mortal {
    fn die(&self) {
        self.dead.store(true, Ordering::SeqCst);
        self.notify().unwrap();
    }
}

/// A reactor over a mortal backend, and how often it reported a failure.
fn mortal(world: &World) -> (Reactor, Arc<Mortal>, Arc<AtomicU64>) {
    let poller = Forwarding::open(world.backend, Life::default());
    let failures = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&failures);
    let reporter = move |report: &Report<'_>| {
        if matches!(report, Report::BackendFailed(_)) {
            count.fetch_add(1, Ordering::SeqCst);
        }
    };
    let builder = Reactor::builder().poller(poller.clone()).reporter(reporter);
    let reactor = builder.turn_budget(10_000, LIMIT).build().unwrap();
    (reactor, poller, failures)
}

/// Behaviour 45: by its callback, by who waits, and when it is armed later; once.
fn every_source_hears_that_the_backend_failed(world: &World) {
    let (reactor, poller, failures) = mortal(world);
    let host = world.host(&reactor);
    let heard = Rc::new(RefCell::new(Vec::new()));
    let mut peers = Vec::new();
    let mut sources = Vec::new();
    for number in 0..5 {
        let (a, b) = UnixStream::pair().unwrap();
        let hear = Rc::clone(&heard);
        let callback = move |_: &UnixStream, readiness: Readiness| {
            hear.borrow_mut().push((number, readiness.is_invalid()));
            Action::Rearm
        };
        let interest = if number == 4 { Interest::NONE } else { Interest::READABLE };
        sources.push(reactor.register(a, interest, callback).unwrap());
        peers.push(b);
    }
    let (a, _b) = UnixStream::pair().unwrap();
    let waiting = reactor.source(a).unwrap();
    let waited = Flag::default();
    let set = waited.clone();
    let task = reactor.spawn_local(async move {
        assert!(waiting.ready(Interest::READABLE).await.unwrap().is_invalid());
        set.set();
    });
    reactor.turn();
    poller.die();
    match world.drive {
        Drive::Interleaved | Drive::Embed => {
            host.run_until(|| heard.borrow().len() == 4 && waited.is_set())
        }
        Drive::Run | Drive::BlockOn => {
            let error = reactor.run().unwrap_err();
            assert!(error.to_string().contains("the kernel is tired"), "{error}");
            assert_eq!(heard.borrow().len(), 4);
            reactor.turn();
            assert!(waited.is_set());
        }
    }
    heard.borrow_mut().sort_unstable();
    assert_eq!(*heard.borrow(), [(0, true), (1, true), (2, true), (3, true)]);
    assert_eq!(failures.load(Ordering::SeqCst), 1);
    let failure = reactor.failure().expect("it is known");
    assert!(failure.to_string().contains("the kernel is tired"), "{failure}");
    // The one that was not armed cannot be.
    let lost = sources[4].arm(Interest::READABLE).unwrap_err();
    assert_eq!(lost.kind(), io::ErrorKind::BrokenPipe, "{lost}");
    assert_eq!(heard.borrow().len(), 4);
    drop(task);
}

/// Behaviour 45.
fn timers_calls_tasks_and_the_shutdown_work_without_a_backend(world: &World) {
    let (reactor, poller, failures) = mortal(world);
    let host = world.host(&reactor);
    poller.die();
    host.run_until(|| reactor.failure().is_some());
    for round in 0..3 {
        let fired = Rc::new(Cell::new(0));
        let count = Rc::clone(&fired);
        let timer = reactor.every(Duration::from_millis(1), move || {
            count.set(count.get() + 1);
            ControlFlow::Continue(())
        });
        host.run_until(|| fired.get() > round);
        drop(timer);
        let remote = reactor.remote();
        let called = Arc::new(AtomicBool::new(false));
        let call = Arc::clone(&called);
        let answer = move || {
            call.store(true, Ordering::SeqCst);
            round
        };
        let caller = thread::spawn(move || remote.call_blocking(answer).unwrap());
        host.run_until(|| called.load(Ordering::SeqCst));
        assert_eq!(caller.join().unwrap(), round);
        let slept = Flag::default();
        let (set, handle) = (slept.clone(), reactor.handle());
        let task = reactor.spawn_local(async move {
            handle.sleep(Duration::from_millis(1)).await;
            set.set();
        });
        host.run_until(|| slept.is_set());
        drop(task);
    }
    let handle = reactor.handle();
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        handle.sleep(Duration::from_millis(2)).await;
    });
    reactor.remote().stop();
    run_until_stopped(&reactor, &host);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(failures.load(Ordering::SeqCst), 1);
    drop(trigger);
}

/// Behaviour 45, 40: calls reach the thread that has nothing to block in any more.
fn finish_works_without_a_backend_and_does_not_spin(world: &World) {
    let (reactor, poller, failures) = mortal(world);
    let host = world.host(&reactor);
    poller.die();
    match world.drive {
        Drive::Interleaved | Drive::Embed => host.run_until(|| reactor.failure().is_some()),
        Drive::Run | Drive::BlockOn => drop(reactor.run().unwrap_err()),
    }
    let before = poller.waits.load(Ordering::SeqCst);
    let wakers = Arc::new(Mutex::new(None));
    let (handle, put) = (reactor.handle(), Arc::clone(&wakers));
    let called = Rc::new(Cell::new(false));
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        handle.sleep(Duration::from_millis(20)).await;
        std::future::poll_fn(|cx| {
            put.lock().unwrap().replace(cx.waker().clone());
            if called.replace(true) { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
        })
        .await;
    });
    let remote = reactor.remote();
    let caller = thread::spawn(move || {
        let waker = loop {
            if let Some(waker) = wakers.lock().unwrap().take() {
                break waker;
            }
            thread::yield_now();
        };
        let answer = remote.call_blocking(|| 7);
        waker.wake();
        answer.unwrap()
    });
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(caller.join().unwrap(), 7);
    assert_eq!(poller.waits.load(Ordering::SeqCst), before, "a dead backend is left alone");
    assert_eq!(failures.load(Ordering::SeqCst), 1);
    let turns = reactor.stats().turns;
    assert!(turns < 100, "{turns} turns for two events");
    drop(trigger);
}

/// Behaviour 45.
fn a_backend_that_fails_in_finish_is_reported_once(world: &World) {
    let (reactor, poller, failures) = mortal(world);
    drop(world.host(&reactor));
    let handle = reactor.handle();
    let dies = Arc::clone(&poller);
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        dies.die();
        handle.sleep(Duration::from_millis(20)).await;
    });
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(failures.load(Ordering::SeqCst), 1);
    assert!(reactor.failure().is_some());
    drop(trigger);
}

/// Behaviour 45.
fn a_failed_reactor_takes_no_more_sources(world: &World) {
    let (reactor, poller, _) = mortal(world);
    let host = world.host(&reactor);
    poller.die();
    match world.drive {
        Drive::Interleaved | Drive::Embed => host.run_until(|| reactor.failure().is_some()),
        Drive::Run | Drive::BlockOn => drop(reactor.run().unwrap_err()),
    }
    let refused = reactor.source(UnixStream::pair().unwrap().0).unwrap_err();
    assert!(refused.to_string().contains("the kernel is tired"), "{refused}");
}

/// Behaviour 45: one that a user wrote may.
fn a_backend_that_panics_has_failed(world: &World) {
    let (reactor, poller, failures) = mortal(world);
    let host = world.host(&reactor);
    let (a, _b) = UnixStream::pair().unwrap();
    let heard = Rc::new(Cell::new(false));
    let hear = Rc::clone(&heard);
    let source = reactor.register(a, Interest::READABLE, move |_, readiness| {
        hear.set(readiness.is_invalid());
        Action::Remove
    });
    poller.panics.store(true, Ordering::SeqCst);
    poller.die();
    host.run_until(|| heard.get());
    assert_eq!(failures.load(Ordering::SeqCst), 1);
    let fired = Rc::new(Cell::new(false));
    let set = Rc::clone(&fired);
    let timer = reactor.after(Duration::from_millis(1), move || set.set(true));
    host.run_until(|| fired.get());
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    drop((source, timer));
}

/// Behaviour 45: the host looks into the backend while the worker rests. Its error, or its panic, is told to
/// the sources as if the worker had met it.
fn a_backend_that_fails_the_host_in_the_worker_s_rest_has_failed(world: &World) {
    for panics in [false, true] {
        let (reactor, poller, failures) = mortal(world);
        if poller.descriptor().is_none() {
            // There the worker does not rest.
            return;
        }
        poller.only_to.set(thread::current().id()).unwrap();
        poller.panics.store(panics, Ordering::SeqCst);
        poller.dead.store(true, Ordering::SeqCst);
        let queue = Queue::default();
        let posts = queue.clone();
        reactor.interleave(move |tick| posts.post(tick)).unwrap();
        let next = || queue.take(Instant::now() + LIMIT).expect("the host is woken");
        let (heard, lost) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (first, second) = (pair(), pair());
        let hear = |near| {
            let (heard, lost) = (Rc::clone(&heard), Rc::clone(&lost));
            let callback = move |io: &UnixStream, readiness: Readiness| {
                if readiness.is_invalid() {
                    lost.set(lost.get() + 1);
                    return Action::Disarm;
                }
                heard.set(heard.get() + u32::from(read(io).is_some()));
                Action::Rearm
            };
            reactor.register(near, Interest::READABLE, callback).unwrap()
        };
        let sources = [hear(first.0), hear(second.0)];
        let mut round = 0;
        while reactor.failure().is_none() {
            round += 1;
            write(&first.1, b"1");
            let tick = next();
            write(&second.1, b"2");
            // Sooner or later the worker has come to the second, and rests.
            (0..round).for_each(|_| thread::yield_now());
            tick.run();
            while heard.get() < 2 * round && reactor.failure().is_none() {
                next().run();
            }
        }
        while lost.get() < 2 {
            next().run();
        }
        assert_eq!(failures.load(Ordering::SeqCst), 1);
        drop(sources);
    }
}
