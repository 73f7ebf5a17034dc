//! The phases of the shutdown, and their triggers.

use std::cell::{Cell, RefCell};
use std::io::{self};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use interloop::{Interest, Phase};

use crate::cases;
use crate::futures::{Flag, block_on, yield_now};
use crate::shutdown::{counter, dead_host, reporting, run_until_stopped};
use crate::world::{LIMIT, World};

cases!(
    the_phases_come_in_order,
    before_triggers_are_awaited_together,
    a_trigger_that_fails_does_not_stop_the_others,
    a_trigger_that_panics_does_not_stop_the_others,
    triggers_come_and_go_during_the_shutdown,
    a_removed_trigger_is_not_waited_for,
    sources_and_timers_are_closed_between_before_and_during,
    tasks_are_cancelled_between_during_and_after;
    interleaved:
    a_trigger_of_the_current_phase_starts_when_it_is_added_between_turns,
);

/// Behaviour 37.
fn the_phases_come_in_order(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let order = Rc::new(RefCell::new(Vec::new()));
    // Added in the wrong order, and each takes several turns.
    for phase in [Phase::After, Phase::Before, Phase::During, Phase::Before, Phase::After] {
        let order = Rc::clone(&order);
        let trigger = reactor.on_shutdown(phase, async move {
            for _ in 0..3 {
                yield_now().await;
            }
            order.borrow_mut().push(phase);
        });
        trigger.unwrap().detach();
    }
    reactor.stop();
    run_until_stopped(&reactor, &host);
    use Phase::{After, Before, During};
    assert_eq!(*order.borrow(), [Before, Before, During, After, After]);
}

/// Behaviour 37: each waits for the other, in every phase.
fn before_triggers_are_awaited_together(world: &World) {
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let (here, there) = (Flag::default(), Flag::default());
        let (set, wait) = (here.clone(), there.clone());
        let one = reactor.on_shutdown(phase, async move {
            set.set();
            wait.wait().await;
        });
        let two = reactor.on_shutdown(phase, async move {
            here.wait().await;
            there.set();
        });
        reactor.stop();
        run_until_stopped(&reactor, &host);
        drop((one, two));
    }
}

/// Behaviour 37: its error is reported, and in what `finish` tells.
fn a_trigger_that_fails_does_not_stop_the_others(world: &World) {
    let (builder, reports) = reporting(world);
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let (ran, add) = counter();
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let failing = async move { Err::<(), _>(format!("no way to end {phase:?}")) };
        reactor.on_shutdown(phase, failing).unwrap().label(format!("bad {phase:?}")).detach();
        let add = add.clone();
        let trigger = reactor.on_shutdown(phase, async move {
            yield_now().await;
            add();
        });
        trigger.unwrap().detach();
    }
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(ran.load(Ordering::Relaxed), 3);
    let finished = reactor.finish(LIMIT).unwrap();
    let expected = [
        "bad Before: no way to end Before",
        "bad During: no way to end During",
        "bad After: no way to end After",
    ];
    assert_eq!(finished.failed, expected);
    assert!(finished.abandoned.is_empty());
    let reports = reports.lock().unwrap();
    let about = |text: &str| reports.iter().filter(|report| report.contains(text)).count();
    assert_eq!(about("the shutdown trigger bad"), 3, "{reports:?}");
}

/// Behaviour 37, 20: the panic comes out, and the shutdown goes on.
fn a_trigger_that_panics_does_not_stop_the_others(world: &World) {
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let reactor = world.reactor();
        dead_host(world, &reactor);
        let (ran, add) = counter();
        let trigger = reactor.on_shutdown(phase, async move {
            if phase <= Phase::After {
                panic!("in {phase:?}");
            }
        });
        for phase in [Phase::Before, Phase::During, Phase::After] {
            let add = add.clone();
            let trigger = reactor.on_shutdown(phase, async move {
                yield_now().await;
                add();
            });
            trigger.unwrap().detach();
        }
        let panic = catch_unwind(AssertUnwindSafe(|| reactor.finish(LIMIT))).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert_eq!(*message, format!("in {phase:?}"));
        assert_eq!(ran.load(Ordering::Relaxed), 3);
        assert!(reactor.is_stopped());
        drop(trigger);
    }
}

/// Behaviour 38: of the same phase, of a later one and of a past one.
fn triggers_come_and_go_during_the_shutdown(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let order = Rc::new(RefCell::new(Vec::new()));
    let log = |name: &'static str| {
        let order = Rc::clone(&order);
        async move { order.borrow_mut().push(name) }
    };
    let (same, later) = (log("before, added in before"), log("after, added in before"));
    let (past, removed) = (log("never"), log("removed"));
    let doomed = reactor.on_shutdown(Phase::During, removed).unwrap();
    let handle = reactor.handle();
    let first = reactor.on_shutdown(Phase::Before, async move {
        handle.on_shutdown(Phase::Before, same).unwrap().detach();
        handle.on_shutdown(Phase::After, later).unwrap().detach();
        doomed.remove();
    });
    let handle = reactor.handle();
    let refused = Rc::new(Cell::new(None));
    let put = Rc::clone(&refused);
    let second = reactor.on_shutdown(Phase::During, async move {
        put.set(Some(handle.on_shutdown(Phase::Before, past).unwrap_err().kind()));
    });
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(*order.borrow(), ["before, added in before", "after, added in before"]);
    assert_eq!(refused.get(), Some(io::ErrorKind::NotConnected));
    let late = reactor.on_shutdown(Phase::After, async {});
    assert_eq!(late.unwrap_err().kind(), io::ErrorKind::NotConnected);
    drop((first, second));
}

/// Behaviour 38: nothing else happens that would bring a turn.
fn a_trigger_of_the_current_phase_starts_when_it_is_added_between_turns(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (begun, ended) = (Flag::default(), Flag::default());
    let (begin, end) = (begun.clone(), ended.clone());
    let waits = reactor.on_shutdown(Phase::Before, async move {
        begin.set();
        end.wait().await;
    });
    reactor.stop();
    host.run_until(|| begun.is_set());
    // A plain function of the host, between two turns.
    let added = reactor.on_shutdown(Phase::Before, async move { ended.set() });
    run_until_stopped(&reactor, &host);
    drop((waits, added));
}

/// Behaviour 38: one that runs is cancelled.
fn a_removed_trigger_is_not_waited_for(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let dropped = Rc::new(());
    let held = Rc::clone(&dropped);
    let never = reactor.on_shutdown(Phase::Before, async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    let unbegun = reactor.on_shutdown(Phase::After, std::future::pending::<()>());
    let handle = reactor.handle();
    let other = reactor.on_shutdown(Phase::Before, async move {
        handle.sleep(Duration::from_millis(1)).await;
        never.unwrap().remove();
        drop(unbegun);
    });
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(Rc::strong_count(&dropped), 1);
    drop(other);
}

/// Behaviour 37.
fn sources_and_timers_are_closed_between_before_and_during(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (a, b) = UnixStream::pair().unwrap();
    let source = Rc::new(reactor.source(a).unwrap());
    let timer = Rc::new(reactor.after(LIMIT * 10, || ()));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let handle = reactor.handle();
    for phase in [Phase::Before, Phase::During] {
        let (seen, source, timer) = (Rc::clone(&seen), Rc::clone(&source), Rc::clone(&timer));
        let handle = handle.clone();
        let trigger = reactor.on_shutdown(phase, async move {
            seen.borrow_mut().push((source.is_registered(), timer.is_pending()));
            // Ends at once where the timers are closed.
            let long = if phase == Phase::During { LIMIT * 10 } else { Duration::ZERO };
            handle.sleep(long).await;
            if phase == Phase::During {
                let refused = source.ready(Interest::READABLE).await.unwrap_err();
                assert_eq!(refused.kind(), io::ErrorKind::NotConnected);
                assert!(!handle.after(Duration::ZERO, || ()).is_pending());
            }
        });
        trigger.unwrap().detach();
    }
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(*seen.borrow(), [(true, true), (false, false)]);
    drop(b);
}

/// Behaviour 37: and their futures dropped on the host thread.
fn tasks_are_cancelled_between_during_and_after(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let alive = Rc::new(());
    let held = Rc::clone(&alive);
    let task = reactor.spawn_local(async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    let counts = Rc::new(RefCell::new(Vec::new()));
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let (counts, alive) = (Rc::clone(&counts), Rc::downgrade(&alive));
        let look = async move { counts.borrow_mut().push(alive.strong_count()) };
        reactor.on_shutdown(phase, look).unwrap().detach();
    }
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(*counts.borrow(), [2, 2, 1]);
    assert!(task.is_finished());
    assert!(block_on(task.cancel()).is_none());
}
