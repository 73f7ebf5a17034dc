//! A host loop that watches the reactor's descriptor.

use std::cell::Cell;
use std::io::ErrorKind;
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use interloop::backends::{self, is_ready};
use interloop::{Action, Embedded, Interest, Phase, Reactor};

use crate::cases;
use crate::levels::TURNS_TO_A_CHECK;
use crate::waking::{drain, event, signal};
use crate::watched::NEVER;
use crate::world::{Host, LIMIT, World};

cases!(
    what_cannot_be_embedded_says_so,
    the_next_deadline_is_that_of_the_earliest_timer;
    embedded:
    what_was_posted_before_is_there_at_once,
    the_descriptor_is_silent_when_nothing_is_owed,
    a_timer_that_is_set_outside_of_a_turn_comes,
    a_task_that_is_spawned_outside_of_a_turn_runs,
    a_cancelled_timer_wakes_nobody,
    a_wake_of_another_thread_comes,
    a_turn_that_its_budget_ended_goes_on,
    the_drive_can_be_changed,
    the_end_leaves_the_descriptor_silent,
    the_reactor_may_go_before_the_embedding,
    finish_takes_over_from_a_host_that_has_gone,
    a_loop_that_finish_comes_to_hears_of_sources_and_is_silent_then,
    ten_thousand_calls_make_few_turns,
    a_turn_with_one_thing_to_do_costs_one_wait,
);

pub fn is_readable(embedded: &Embedded) -> bool {
    is_ready(std::os::fd::AsFd::as_fd(embedded), Interest::READABLE).unwrap()
}

/// Turns until the descriptor is silent.
pub fn settle(host: &Host) {
    let embedded = host.embedded();
    let limit = Instant::now() + LIMIT;
    while is_readable(&embedded) {
        assert!(Instant::now() < limit, "the descriptor stays readable");
        embedded.turn();
    }
}

/// On every drive, whatever the backend.
fn what_cannot_be_embedded_says_so(world: &World) {
    let reactor = world.reactor();
    let has_descriptor = backends::open(world.backend).unwrap().descriptor().is_some();
    match reactor.embed() {
        Ok(embedded) => {
            assert!(has_descriptor);
            let message = reactor.embed().unwrap_err().to_string();
            assert!(message.contains("already embedded"), "{message}");
            assert_eq!(reactor.interleave(drop).unwrap_err().kind(), ErrorKind::AlreadyExists);
            assert_eq!(reactor.run().unwrap_err().kind(), ErrorKind::AlreadyExists);
            drop(embedded);
        }
        Err(error) => {
            assert!(!has_descriptor);
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            let message = error.to_string();
            assert!(message.contains(world.backend.name()), "{message}");
            assert!(message.contains("interleave"), "it names the way out: {message}");
        }
    }
    // Neither leaves anything behind.
    let host = world.host(&reactor);
    let (done, inner) = (host.clone(), reactor.handle());
    let task = reactor.spawn_local(async move {
        assert_eq!(inner.embed().unwrap_err().kind(), ErrorKind::AlreadyExists);
        done.done();
    });
    host.run();
    drop(task);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(reactor.embed().unwrap_err().kind(), ErrorKind::NotConnected);
}

fn the_next_deadline_is_that_of_the_earliest_timer(world: &World) {
    let reactor = world.unhurried();
    assert_eq!(reactor.next_deadline(), None);
    let far = Instant::now() + NEVER;
    let first = reactor.at(far, || ());
    let second = reactor.at(far + NEVER, || ());
    assert_eq!(reactor.next_deadline(), Some(far));
    drop(first);
    assert_eq!(reactor.next_deadline(), Some(far + NEVER));
    drop(second);
    assert_eq!(reactor.next_deadline(), None);
    let endless = reactor.after(Duration::MAX, || ());
    assert_eq!(reactor.next_deadline(), None);
    // What is owed is owed at once.
    let task = reactor.spawn_local(async {});
    assert!(reactor.next_deadline().unwrap() <= Instant::now());
    while !task.is_finished() {
        reactor.turn();
    }
    assert_eq!(reactor.next_deadline(), None);
    reactor.remote().call(|| ()).unwrap();
    assert!(reactor.next_deadline().unwrap() <= Instant::now());
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(reactor.next_deadline(), None);
    drop(endless);
}

/// Behaviour 1.
fn what_was_posted_before_is_there_at_once(world: &World) {
    let deed = |reactor: &Reactor, ran: &Rc<Cell<u32>>, which: u32| {
        let ran = Rc::clone(ran);
        let count = move || ran.set(ran.get() + 1);
        match which {
            0 => reactor.spawn_local(async move { count() }).detach(),
            1 => reactor.after(Duration::ZERO, count).detach(),
            2 => reactor.after(Duration::from_millis(2), count).detach(),
            _ => {
                let event = event();
                signal(&event);
                let count = move |_: &_, _| {
                    count();
                    Action::Remove
                };
                reactor.register(event, Interest::READABLE, count).unwrap().detach();
            }
        }
    };
    for which in 0..4 {
        let reactor = world.unhurried();
        let ran = Rc::new(Cell::new(0));
        deed(&reactor, &ran, which);
        let host = world.host(&reactor);
        host.run_until(|| ran.get() == 1);
        settle(&host);
    }
    // And a call, which another thread has made.
    let reactor = world.unhurried();
    let remote = reactor.remote();
    thread::spawn(move || remote.call(|| ()).unwrap()).join().unwrap();
    let host = world.host(&reactor);
    host.run_until(|| reactor.stats().calls == 1);
}

/// Behaviour 11.
fn the_descriptor_is_silent_when_nothing_is_owed(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let embedded = host.embedded();
    assert!(!is_readable(&embedded));
    // Timers far away and unrelated, registrations that wait.
    let timers: Vec<_> = (0..100).map(|_| reactor.after(NEVER, || ())).collect();
    let source = reactor.register(event(), Interest::READABLE, |event, _| {
        drain(event);
        Action::Rearm
    });
    let source = source.unwrap();
    assert!(!is_readable(&embedded));
    for round in 1..=100 {
        signal(source.get_ref());
        assert!(is_readable(&embedded));
        assert!(embedded.turn());
        assert!(!is_readable(&embedded), "one turn for one event");
        assert_eq!(reactor.stats().turns, round);
    }
    drop(timers);
    assert!(!is_readable(&embedded));
    assert_eq!(reactor.stats().events, 100);
}

fn a_timer_that_is_set_outside_of_a_turn_comes(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    for micros in [0, 300, 1000, 1001, 5000] {
        let came = Rc::new(Cell::new(false));
        let (tell, delay) = (Rc::clone(&came), Duration::from_micros(micros));
        let due = Instant::now() + delay;
        let timer = reactor.after(delay, move || tell.set(true));
        host.run_until(|| came.get());
        assert!(Instant::now() >= due);
        settle(&host);
        drop(timer);
    }
}

fn a_task_that_is_spawned_outside_of_a_turn_runs(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    for _ in 0..100 {
        let task = reactor.spawn_local(async {});
        host.run_until(|| task.is_finished());
        settle(&host);
    }
}

/// Behaviour 11: neither at its time nor before.
fn a_cancelled_timer_wakes_nobody(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let delay = Duration::from_millis(5);
    let timer = reactor.after(delay, || panic!("it was cancelled"));
    settle(&host);
    drop(timer);
    settle(&host);
    let turns = reactor.stats().turns;
    // Another, for a later time: it is the next thing that happens.
    let came = Rc::new(Cell::new(false));
    let tell = Rc::clone(&came);
    let later = reactor.after(delay * 4, move || tell.set(true));
    settle(&host);
    host.run_until(|| came.get());
    assert_eq!(reactor.stats().turns, turns + 1);
    drop(later);
}

/// Behaviour 3.
fn a_wake_of_another_thread_comes(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let remote = reactor.remote();
    let caller = thread::spawn(move || (0..1000).all(|n| remote.call_blocking(move || n).is_ok()));
    host.run_until(|| reactor.stats().calls == 1000);
    assert!(caller.join().unwrap());
    settle(&host);
}

/// Behaviour 22.
fn a_turn_that_its_budget_ended_goes_on(world: &World) {
    let reactor = world.builder().turn_budget(1, LIMIT).build().unwrap();
    let host = world.host(&reactor);
    let ran = Rc::new(Cell::new(0));
    for _ in 0..10 {
        let (task, timer) = (Rc::clone(&ran), Rc::clone(&ran));
        reactor.spawn_local(async move { task.set(task.get() + 1) }).detach();
        reactor.after(Duration::ZERO, move || timer.set(timer.get() + 1)).detach();
    }
    host.run_until(|| ran.get() == 20);
    assert!(reactor.stats().turns >= 20);
    settle(&host);
}

fn the_drive_can_be_changed(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let ran = Rc::new(Cell::new(0));
    let soon = || {
        let ran = Rc::clone(&ran);
        reactor.after(Duration::from_millis(1), move || ran.set(ran.get() + 1)).detach();
    };
    soon();
    host.run_until(|| ran.get() == 1);
    soon();
    host.unembed();
    let proxy = host.interleave(&reactor);
    host.run_until(|| ran.get() == 2);
    assert!(reactor.embed().is_err(), "a worker cannot be sent home");
    drop(proxy);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

/// A host that went on watching would find it silent.
fn the_end_leaves_the_descriptor_silent(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let embedded = host.embedded();
    let remote = reactor.remote();
    reactor.after(NEVER, || ()).detach();
    reactor.stop();
    let limit = Instant::now() + LIMIT;
    while embedded.turn() {
        assert!(Instant::now() < limit);
    }
    assert!(reactor.is_stopped());
    assert!(remote.call(|| ()).is_err());
    embedded.turn();
    assert!(!is_readable(&embedded));
}

fn the_reactor_may_go_before_the_embedding(world: &World) {
    for finished in [false, true] {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let embedded = host.embedded();
        let remote = reactor.remote();
        reactor.spawn_local(std::future::pending::<()>()).detach();
        if finished {
            // The task is named: nothing else ends it.
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        }
        drop(reactor);
        assert!(remote.is_stopped());
        assert!(!embedded.turn(), "there is nothing to watch");
        assert!(!is_readable(&embedded));
    }
}

/// Behaviour 40.
fn finish_takes_over_from_a_host_that_has_gone(world: &World) {
    for watched in [false, true] {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let (slept, handle) = (Rc::new(Cell::new(false)), reactor.handle());
        let tell = Rc::clone(&slept);
        let before = async move {
            handle.sleep(Duration::from_millis(2)).await;
            tell.set(true);
        };
        reactor.on_shutdown(Phase::Before, before).unwrap().detach();
        if !watched {
            host.unembed();
        }
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        assert!(slept.get());
    }
}

/// A `Before` trigger may open a loop of the host's, which watches the descriptor yet.
fn a_loop_that_finish_comes_to_hears_of_sources_and_is_silent_then(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let embedded = host.embedded();
    let heard = Rc::new(Cell::new(0));
    let count = Rc::clone(&heard);
    let source = reactor.register(event(), Interest::READABLE, move |event, _| {
        drain(event);
        count.set(count.get() + 1);
        Action::Rearm
    });
    let source = source.unwrap();
    let (remote, counted) = (reactor.remote(), reactor.handle());
    let before = async move {
        for round in 1..=3 {
            signal(source.get_ref());
            host.run_until(|| heard.get() == round);
            settle(&host);
        }
        thread::spawn(move || remote.call(|| ()).unwrap()).join().unwrap();
        host.run_until(|| counted.stats().calls == 1);
        settle(&host);
    };
    reactor.on_shutdown(Phase::Before, before).unwrap().detach();
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert!(!embedded.turn());
    assert!(!is_readable(&embedded));
}

/// Behaviour 4.
fn ten_thousand_calls_make_few_turns(world: &World) {
    let reactor = world.unhurried();
    let remote = reactor.remote();
    (0..10_000).for_each(|_| remote.call(|| ()).unwrap());
    let host = world.host(&reactor);
    host.run_until(|| reactor.stats().calls == 10_000);
    settle(&host);
    let stats = reactor.stats();
    assert!(stats.turns <= 2, "{stats:?}");
    assert_eq!(stats.wakes_issued, 1);
}

/// By a callback and by a task: no notification, and no alarm, though a callback might open a nested loop.
fn a_turn_with_one_thing_to_do_costs_one_wait(world: &World) {
    const ROUNDS: u64 = 100;
    let (watched, builder) = world.watched();
    let reactor = builder.nested_grace(Duration::from_millis(5)).build().unwrap();
    let host = world.host(&reactor);
    let embedded = host.embedded();
    let by_callback = reactor.register(event(), Interest::READABLE, |event, _| {
        drain(event);
        Action::Rearm
    });
    let by_callback = by_callback.unwrap();
    let by_task = Rc::new(reactor.source(event()).unwrap());
    let waited = Rc::clone(&by_task);
    let task = reactor.spawn_local(async move {
        loop {
            waited.ready(Interest::READABLE).await.unwrap();
            drain(waited.get_ref());
        }
    });
    settle(&host);
    // A callback stays armed, but for a check; who waits arms anew.
    for (event, armings) in
        [(by_callback.get_ref(), ROUNDS / TURNS_TO_A_CHECK), (by_task.get_ref(), ROUNDS)]
    {
        let before = watched.seen();
        for _ in 0..ROUNDS {
            signal(event);
            assert!(is_readable(&embedded));
            embedded.turn();
        }
        let after = watched.seen();
        assert!(!is_readable(&embedded));
        let (waits, changes) = (after.begun - before.begun, after.modified - before.modified);
        assert_eq!((waits, changes), (ROUNDS, armings));
        assert_eq!((after.notified, after.alarms), (before.notified, before.alarms));
    }
    drop(task);
}
