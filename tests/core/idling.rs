//! What an idle reactor costs, and what one event, one timer or one change does.

use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest, Stats};

use crate::cases;
use crate::waking::{Ran, drain, event, signal};
use crate::watched::NEVER;
use crate::world::{LIMIT, World};

cases!(
    an_idle_period_has_no_turn;
    interleaved:
    an_idle_second_has_no_wake_and_no_return_of_the_worker,
    what_only_the_worker_must_know_wakes_no_host,
    an_echo_costs_one_wake_for_each_event,
    a_timer_costs_one_wake,
    an_earlier_timer_interrupts_the_worker_once_and_a_later_one_never,
    an_overdue_timer_interrupts_the_worker_no_more,
    a_hundred_timers_of_one_callback_do_not_cost_a_hundred_interrupts,
);

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
