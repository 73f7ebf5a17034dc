//! Floods, which leave room for what the host runs of its own.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Interest, Reactor, Remote, Tick};

use crate::cases;
use crate::waking::{event, signal};
use crate::watched::NEVER;
use crate::world::{LIMIT, World};

cases!(
    a_flood_of_timers_does_not_keep_the_others_from_running;
    interleaved:
    a_flood_of_calls_lets_the_host_run_its_own,
    a_flood_of_events_lets_the_host_run_its_own,
    a_thousand_short_periods_let_the_host_run_its_own,
);

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
