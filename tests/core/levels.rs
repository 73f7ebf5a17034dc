//! Where the host thread itself polls, callbacks stay registered by level while they run, and are not
//! armed anew after each event. None of it is to be seen, but by the system calls that it saves.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use interloop::{Action, Handle, Interest, Source};
use rustix::fd::OwnedFd;

use crate::cases;
use crate::embedding::{is_readable, settle};
use crate::waking::{drain, event, signal};
use crate::watched::Watched;
use crate::world::{Host, LIMIT, World};

cases!(
    a_source_that_a_budget_left_over_is_called_once,
    a_worker_after_another_drive_sees_each_event_once;
    hosted:
    what_is_ready_at_the_change_of_a_drive_is_delivered,
    what_a_budget_left_over_at_the_change_of_a_drive_is_delivered,
    what_a_callback_leaves_unread_does_not_spin_in_the_loop_that_it_opens;
    embedded:
    a_source_that_is_disarmed_from_outside_is_silent,
    a_callback_that_asks_for_the_same_again_costs_no_call,
);

/// In one of this many turns, a source by level costs a call.
pub const TURNS_TO_A_CHECK: u64 = 64;

/// A source that drains its event and counts.
fn counting(reactor: &Handle) -> (Source<OwnedFd>, Rc<Cell<u64>>) {
    let count = Rc::new(Cell::new(0));
    let counted = Rc::clone(&count);
    let source = reactor.register(event(), Interest::READABLE, move |event, _| {
        drain(event);
        counted.set(counted.get() + 1);
        Action::Rearm
    });
    (source.unwrap(), count)
}

/// Behaviour 22.
fn a_source_that_a_budget_left_over_is_called_once(world: &World) {
    const SOURCES: usize = 20;
    let reactor = world.patient().turn_budget(1, crate::watched::NEVER).build().unwrap();
    let host = world.host(&reactor);
    let called = Rc::new(Cell::new(0));
    let sources: Vec<_> = (0..SOURCES)
        .map(|_| {
            let (called, done) = (Rc::clone(&called), host.clone());
            let event = event();
            signal(&event);
            let callback = move |event: &OwnedFd, _| {
                drain(event);
                called.set(called.get() + 1);
                if called.get() == SOURCES {
                    done.done();
                }
                Action::Rearm
            };
            reactor.register(event, Interest::READABLE, callback).unwrap()
        })
        .collect();
    host.run();
    let stats = reactor.stats();
    assert_eq!((stats.events, stats.stale_events), (SOURCES as u64, 0));
    drop(sources);
}

/// Behaviour 17: the callback is not entered again, and what it has not read wakes nobody in vain.
fn what_a_callback_leaves_unread_does_not_spin_in_the_loop_that_it_opens(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (nested, inner) = (host.clone(), reactor.handle());
    let (entered, turns) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
    let (entering, turning) = (Rc::clone(&entered), Rc::clone(&turns));
    let event = event();
    signal(&event);
    let source = reactor.register(event, Interest::READABLE, move |event, _| {
        entering.set(entering.get() + 1);
        if entering.get() == 1 {
            let over = Rc::new(Cell::new(false));
            let tell = Rc::clone(&over);
            inner.after(Duration::from_millis(30), move || tell.set(true)).detach();
            let before = inner.stats().turns;
            nested.run_until(|| over.get());
            turning.set(inner.stats().turns - before);
        } else {
            drain(event);
        }
        Action::Rearm
    });
    // What is still there is reported again when the callback has returned.
    host.run_until(|| entered.get() == 2);
    assert!(turns.get() <= 10, "{} turns for one timer", turns.get());
    drop(source);
}

fn a_source_that_is_disarmed_from_outside_is_silent(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let (source, called) = counting(&reactor);
    signal(source.get_ref());
    host.run_until(|| called.get() == 1);
    source.disarm().unwrap();
    signal(source.get_ref());
    settle(&host);
    let embedded = host.embedded();
    let turns = reactor.stats().turns;
    assert!(!is_readable(&embedded));
    source.arm(Interest::READABLE).unwrap();
    host.run_until(|| called.get() == 2);
    assert_eq!(reactor.stats().turns, turns + 1);
    assert_eq!(reactor.stats().stale_events, 0);
    // One that its own callback has disarmed.
    let other = reactor.register(event(), Interest::READABLE, |_, _| Action::Disarm).unwrap();
    signal(other.get_ref());
    assert!(is_readable(&embedded));
    embedded.turn();
    assert!(!is_readable(&embedded));
}

/// A worker that polled a level-triggered source would report it until the host has answered.
fn a_worker_after_another_drive_sees_each_event_once(world: &World) {
    const OTHERS: usize = 10;
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let (source, called) = counting(&reactor);
    signal(source.get_ref());
    let has_descriptor = watched.seen().begun == 0 && reactor.embed().map(drop).is_ok();
    if has_descriptor {
        let host = Host::new(&reactor, crate::world::Drive::Embed);
        host.embed(&reactor);
        host.run_until(|| called.get() == 1);
        host.unembed();
        signal(source.get_ref());
    }
    let waits = Rc::clone(&called);
    let inner = reactor.handle();
    reactor
        .block_on(async move {
            while waits.get() < 1 + u64::from(has_descriptor) {
                inner.sleep(Duration::from_millis(1)).await;
            }
        })
        .unwrap();
    let others: Vec<_> = (0..OTHERS).map(|_| counting(&reactor)).collect();
    let before = watched.seen().events;
    let host = Host::new(&reactor, crate::world::Drive::Interleaved);
    let _proxy = host.interleave(&reactor);
    signal(source.get_ref());
    saw(&watched, before + 1);
    // The host does not turn, and the worker goes on.
    for (nth, (other, _)) in others.iter().enumerate() {
        signal(other.get_ref());
        saw(&watched, before + 2 + nth);
    }
    assert_eq!(watched.seen().events, before + 1 + OTHERS);
    let all = || others.iter().all(|(_, called)| called.get() == 1);
    host.run_until(|| all() && called.get() == 2 + u64::from(has_descriptor));
}

/// A drive of the host thread's own, for as long as it takes `called` to come to `calls`.
fn on_the_host_thread(reactor: &Handle, called: &Rc<Cell<u64>>, calls: u64) {
    let (inner, waits) = (reactor.handle(), Rc::clone(called));
    let until = async move {
        while waits.get() < calls {
            inner.sleep(Duration::from_micros(100)).await;
        }
    };
    reactor.block_on(reactor.timeout(LIMIT, until)).unwrap().expect("hangs");
}

/// Behaviours 8 and 17. Nothing but what is ready makes the host's first turn.
fn what_is_ready_at_the_change_of_a_drive_is_delivered(world: &World) {
    let reactor = world.unhurried();
    let (source, called) = counting(&reactor);
    signal(source.get_ref());
    on_the_host_thread(&reactor, &called, 1);
    // One whose callback leaves something behind.
    let (left, left_called) = (event(), Rc::new(Cell::new(0)));
    signal(&left);
    let (count, drains) = (Rc::clone(&left_called), Rc::new(Cell::new(false)));
    let may_drain = Rc::clone(&drains);
    let left = reactor.register(left, Interest::READABLE, move |event, _| {
        count.set(count.get() + 1);
        if may_drain.get() {
            drain(event);
        }
        Action::Rearm
    });
    on_the_host_thread(&reactor, &left_called, 3);
    drains.set(true);
    let (disarmed, disarmed_called) = counting(&reactor);
    disarmed.disarm().unwrap();
    let (new, new_called) = counting(&reactor);
    for ready in [&source, &disarmed, &new] {
        signal(ready.get_ref());
    }
    let before = left_called.get();
    let host = world.host(&reactor);
    host.run_until(|| {
        called.get() == 2 && new_called.get() == 1 && left_called.get() == before + 1
    });
    disarmed.arm(Interest::READABLE).unwrap();
    host.run_until(|| disarmed_called.get() == 1);
    signal(source.get_ref());
    host.run_until(|| called.get() == 3);
    let all = (called.get(), new_called.get(), left_called.get(), disarmed_called.get());
    assert_eq!(all, (3, 1, before + 1, 1));
    drop((source, left, disarmed, new));
}

/// Reported, and not dispatched when the drive ended.
fn what_a_budget_left_over_at_the_change_of_a_drive_is_delivered(world: &World) {
    const SOURCES: usize = 20;
    let reactor = world.patient().turn_budget(1, crate::watched::NEVER).build().unwrap();
    let sources: Vec<_> = (0..SOURCES).map(|_| counting(&reactor)).collect();
    sources.iter().for_each(|(source, _)| signal(source.get_ref()));
    let calls = || sources.iter().map(|(_, called)| called.get()).sum::<u64>();
    let mut polls = 0;
    let a_few_turns = std::future::poll_fn(|cx| {
        polls += 1;
        cx.waker().wake_by_ref();
        if polls > 3 && calls() > 0 { Poll::Ready(()) } else { Poll::Pending }
    });
    reactor.block_on(a_few_turns).unwrap();
    assert!((1..SOURCES as u64).contains(&calls()), "{} calls", calls());
    let host = world.host(&reactor);
    host.run_until(|| calls() == SOURCES as u64);
    assert!(sources.iter().all(|(_, called)| called.get() == 1));
    // All are armed as the drive wants it.
    sources.iter().for_each(|(source, _)| signal(source.get_ref()));
    host.run_until(|| calls() == 2 * SOURCES as u64);
    assert!(sources.iter().all(|(_, called)| called.get() == 2));
}

fn saw(watched: &Watched, events: usize) {
    watched.until(|seen| seen.events >= events);
}

/// Behaviour 13, and what it costs.
fn a_callback_that_asks_for_the_same_again_costs_no_call(world: &World) {
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let (source, called) = counting(&reactor);
    let mut modified = 0;
    for round in 1..=100 {
        signal(source.get_ref());
        host.run_until(|| called.get() == round);
        // Whether it is open yet is asked now and then.
        modified += u64::from(reactor.stats().turns % TURNS_TO_A_CHECK == 0);
        assert_eq!(watched.seen().modified, modified);
        if round % 10 == 0 {
            // What it did ask for is not forgotten.
            source.disarm().unwrap();
            source.arm(Interest::READABLE).unwrap();
            modified += 2;
        }
    }
}
