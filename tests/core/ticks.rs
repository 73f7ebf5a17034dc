//! What a host may do to a tick: run it late, twice, elsewhere, or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Report, Tick};

use crate::cases;
use crate::load::{Load, lossy, serve};
use crate::waking::Ran;
use crate::world::{Host, LIMIT, Queue, World};

cases!(;
    interleaved:
    ticks_that_are_run_late_lose_nothing,
    ticks_that_are_run_twice_lose_nothing,
    ticks_that_are_run_twice_by_number_lose_nothing,
    ticks_that_are_run_on_another_thread_lose_nothing,
    a_detached_tick_and_a_turn_lose_nothing,
    a_tick_on_another_thread_only_reports,
    a_post_that_failed_while_held_is_replayed,
    a_tick_that_outlives_its_reactor_is_harmless,
);

/// Behaviour 6. The reactor repeats each of these ticks, and none is harmful when it comes.
fn ticks_that_are_run_late_lose_nothing(world: &World) {
    const LATENESS: Duration = Duration::from_millis(20);
    let reactor = world.patient().rewake_after(Duration::from_millis(3)).build().unwrap();
    let (sender, ticks) = mpsc::channel();
    reactor.interleave(move |tick| _ = sender.send((Instant::now(), tick))).unwrap();
    let load = Load::start(&reactor, 100, 4);
    while !load.is_over() {
        let (posted, tick) = ticks.recv_timeout(LIMIT).expect("a tick comes");
        thread::sleep((posted + LATENESS).saturating_duration_since(Instant::now()));
        tick.run();
    }
    load.check();
    assert!(reactor.stats().wakes_repeated > 0, "{:?}", reactor.stats());
}

/// Behaviour 6.
fn ticks_that_are_run_twice_lose_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let queue = Queue::default();
    let posted = queue.clone();
    reactor.interleave(move |tick| posted.post(tick)).unwrap();
    let load = Load::start(&reactor, 100, 20);
    serve(&reactor, &load, &queue, |tick| {
        tick.run();
        reactor.turn();
    });
}

/// Behaviour 6, for a host whose message is one word.
fn ticks_that_are_run_twice_by_number_lose_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let (sender, words) = mpsc::channel();
    reactor.interleave(move |tick| _ = sender.send(tick.into_raw())).unwrap();
    let load = Load::start(&reactor, 100, 20);
    while !load.is_over() {
        let word = words.recv_timeout(LIMIT).expect("a tick comes");
        let elsewhere = thread::spawn(move || Tick::from_raw(word).is_none());
        assert!(elsewhere.join().unwrap(), "another thread has no such reactor");
        for _ in 0..2 {
            Tick::from_raw(word).expect("the reactor is here").run();
        }
    }
    load.check();
    assert_eq!(reactor.stats().wakes_failed, 0);
}

/// Behaviours 6 and 7.
fn ticks_that_are_run_on_another_thread_lose_nothing(world: &World) {
    let reported = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reported);
    let reporter = move |report: &Report<'_>| {
        assert!(matches!(report, Report::WrongThread), "{report}");
        count.fetch_add(1, Ordering::AcqRel);
    };
    let reactor = world.patient().reporter(reporter).build().unwrap();
    let (sender, elsewhere) = mpsc::channel::<Tick>();
    let other = thread::spawn(move || elsewhere.iter().for_each(Tick::run));
    let sender = Mutex::new(sender);
    let lose = move |tick| _ = sender.lock().unwrap().send(tick);
    lossy(&reactor, |number| number < 4 || number % 3 == 0, lose);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    other.join().unwrap();
    let reported = reported.load(Ordering::Acquire);
    assert!(reported >= 4);
    // A tick that comes to the other thread when the reactor has stopped is no mistake.
    assert!(reactor.stats().wakes_failed as usize >= reported);
}

/// Behaviour 7.
fn a_tick_on_another_thread_only_reports(world: &World) {
    let (sender, reports) = mpsc::channel();
    let sender = Mutex::new(sender);
    let reporter = move |report: &Report<'_>| {
        sender.lock().unwrap().send(report.to_string()).unwrap();
    };
    let reactor = world.patient().reporter(reporter).build().unwrap();
    let host = world.host(&reactor);
    let ran = Ran::default();
    ran.call(&reactor.remote(), 0, 0);
    let tick = host.queue.take(Instant::now()).expect("the waker was called");
    thread::spawn(move || tick.run()).join().unwrap();
    assert_eq!((ran.len(), reactor.stats().turns, reactor.stats().wakes_failed), (0, 0, 1));
    assert!(reports.recv_timeout(LIMIT).unwrap().contains("not the host thread"));
    host.run_until(|| ran.len() == 1);
    assert!(reports.try_recv().is_err(), "reported once");
}

/// Behaviour 6, for a host whose message carries nothing.
fn a_detached_tick_and_a_turn_lose_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let (sender, messages) = mpsc::channel();
    let waker = move |tick: Tick| {
        tick.detach();
        _ = sender.send(());
    };
    reactor.interleave(waker).unwrap();
    let load = Load::start(&reactor, 100, 20);
    while !load.is_over() {
        messages.recv_timeout(LIMIT).expect("a message comes");
        reactor.turn();
    }
    load.check();
    assert_eq!((reactor.stats().wakes_failed, reactor.stats().wakes_repeated), (0, 0));
}

/// Behaviours 6 and 9.
fn a_post_that_failed_while_held_is_replayed(world: &World) {
    for round in 0..30 {
        let (watched, builder) = world.watched();
        let reactor = builder.build().unwrap();
        let host = Host::new(&reactor, world.drive);
        let (posted, ticks) = (host.queue.clone(), AtomicUsize::new(0));
        let waker = move |tick| match ticks.fetch_add(1, Ordering::AcqRel) {
            0 => drop(tick),
            _ => posted.post(tick),
        };
        let proxy = reactor.interleave(waker).unwrap();
        let before = watched.until(|seen| seen.is_waiting());
        let ran = Ran::default();
        ran.call(&reactor.remote(), 0, 0);
        proxy.hold();
        if round % 2 == 0 {
            // The worker has heard of it, waited for a while, and tried again.
            watched.until(|seen| seen.begun > before.begun + 1 && seen.is_waiting());
        }
        proxy.release().unwrap();
        host.run_until(|| ran.len() == 1);
    }
}

/// Behaviours 6 and 10: whatever is done to it.
fn a_tick_that_outlives_its_reactor_is_harmless(world: &World) {
    let reported = Arc::new(AtomicUsize::new(0));
    let mut ticks = Vec::new();
    for end in 0..2 {
        for _ in 0..3 {
            let count = Arc::clone(&reported);
            let reporter = move |_: &Report<'_>| _ = count.fetch_add(1, Ordering::AcqRel);
            let reactor = world.patient().reporter(reporter).build().unwrap();
            let host = world.host(&reactor);
            let ran = Ran::default();
            ran.call(&reactor.remote(), 0, 0);
            ticks.push(host.queue.take(Instant::now()).expect("the waker was called"));
            if end == 0 {
                assert!(reactor.finish(LIMIT).unwrap().is_clean());
            }
        }
    }
    for (number, tick) in ticks.into_iter().enumerate() {
        match number % 3 {
            0 => tick.run(),
            1 => thread::spawn(move || tick.run()).join().unwrap(),
            _ => assert!(Tick::from_raw(tick.into_raw()).is_none()),
        }
    }
    assert_eq!(reported.load(Ordering::Acquire), 0);
}
