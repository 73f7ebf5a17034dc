//! Timers that run again and again.

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use interloop::Timer;

use crate::cases;
use crate::pairs::{Heard, script};
use crate::world::World;

cases!(
    a_timer_behind_a_periodic_one_on_the_stack_fires_in_the_nested_turn,
    a_period_that_was_missed_is_skipped,
    a_periodic_timer_ends_itself,
    a_periodic_timer_is_reset_inside_its_own_callback,
    a_periodic_timer_is_not_entered_again_in_a_nested_loop,
);

/// Behaviour 30: once for all that were missed, and then at the next multiple.
fn a_period_that_was_missed_is_skipped(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let period = Duration::from_millis(2);
            let (tell, inner, start) = (heard.clone(), reactor.handle(), Instant::now());
            let every = reactor.every(period, move || {
                tell.tell((inner.stats().turns, start.elapsed()));
                ControlFlow::Continue(())
            });
            heard.next().await;
            // The host is busy for many periods.
            let busy = Instant::now();
            while busy.elapsed() < 10 * period {}
            let after_busy = start.elapsed();
            let (turn, once) = heard.next().await;
            assert!(once >= after_busy, "{once:?} is in the busy time");
            let told = heard.take(2).await;
            let turns = [turn, told[0].0, told[1].0];
            assert!(turns[0] < turns[1] && turns[1] < turns[2], "one a turn: {turns:?}");
            // The first of them is the next multiple after the busy time, the second one more.
            assert!(told[1].1 >= after_busy + period, "{told:?} after {after_busy:?}");
            drop(every);
        }
    });
}

/// Behaviour 30.
fn a_periodic_timer_ends_itself(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            // By its answer.
            let (tell, count) = (heard.clone(), Cell::new(0));
            let every = reactor.every(Duration::from_micros(100), move || {
                count.set(count.get() + 1);
                tell.tell(count.get());
                if count.get() < 3 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            });
            assert_eq!(heard.take(3).await, [1, 2, 3]);
            assert!(!every.is_pending() && !every.reset(Duration::ZERO));
            // By dropping its own handle, whatever it answers then.
            let own: Rc<RefCell<Option<Timer>>> = Rc::default();
            let (tell, inside) = (heard.clone(), Rc::clone(&own));
            let every = reactor.every(Duration::from_micros(100), move || {
                inside.take();
                tell.tell(4);
                ControlFlow::Continue(())
            });
            own.replace(Some(every));
            assert_eq!(heard.next().await, 4);
            reactor.sleep(Duration::from_millis(1)).await;
            assert_eq!(heard.rest(), []);
            assert_eq!(Rc::strong_count(&own), 1, "the callback is gone");
        }
    });
}

/// Point 4.
fn a_periodic_timer_is_reset_inside_its_own_callback(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let own: Rc<RefCell<Option<Timer>>> = Rc::default();
            let (tell, inside, count) = (heard.clone(), Rc::clone(&own), Cell::new(0));
            let hour = Duration::from_secs(3600);
            let every = reactor.every(hour, move || {
                count.set(count.get() + 1);
                tell.tell((count.get(), Instant::now()));
                let delay = if count.get() < 4 { Duration::from_millis(1) } else { hour };
                assert!(inside.borrow().as_ref().unwrap().reset(delay));
                ControlFlow::Continue(())
            });
            assert!(every.reset(Duration::ZERO));
            own.replace(Some(every));
            let told = heard.take(4).await;
            for two in told.windows(2) {
                assert!(two[1].1 - two[0].1 >= Duration::from_millis(1), "{told:?}");
            }
            reactor.sleep(Duration::from_millis(2)).await;
            assert_eq!(heard.rest(), []);
            assert!(own.take().unwrap().is_pending());
        }
    });
}

/// Behaviours 21 and 30: also where it was reset just before.
fn a_periodic_timer_is_not_entered_again_in_a_nested_loop(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let own: Rc<RefCell<Option<Timer>>> = Rc::default();
            let others = Rc::new(Cell::new(0));
            let counted = Rc::clone(&others);
            let other = reactor.every(Duration::from_micros(100), move || {
                counted.set(counted.get() + 1);
                ControlFlow::Continue(())
            });
            let (tell, inside, inner) = (heard.clone(), Rc::clone(&own), reactor.handle());
            let entered = Cell::new(false);
            let every = reactor.every(Duration::from_micros(100), move || {
                assert!(!entered.replace(true), "entered again");
                inside.borrow().as_ref().unwrap().reset(Duration::ZERO);
                let before = others.get();
                // A host loop of its own: turns, until the other timer has fired in it, or the case
                // has ended in it.
                while others.get() < before + 5 && inside.borrow().is_some() {
                    inner.turn();
                }
                entered.set(false);
                tell.tell(());
                ControlFlow::Continue(())
            });
            own.replace(Some(every));
            heard.take(3).await;
            own.take();
            drop(other);
        }
    });
}

/// The periodic one is due again while its callback runs.
fn a_timer_behind_a_periodic_one_on_the_stack_fires_in_the_nested_turn(world: &World) {
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let own: Rc<RefCell<Option<Timer>>> = Rc::default();
    let (itself, handle, done) = (Rc::clone(&own), reactor.handle(), host.clone());
    let periodic = reactor.every(Duration::from_millis(1), move || {
        itself.borrow().as_ref().expect("it is set").reset(Duration::ZERO);
        let fired = Rc::new(Cell::new(false));
        let set = Rc::clone(&fired);
        let behind = handle.after(Duration::ZERO, move || set.set(true));
        let began = Instant::now();
        while began.elapsed() < Duration::from_millis(1) {}
        handle.turn();
        assert!(fired.get(), "the turn within runs the other");
        drop(behind);
        done.done();
        ControlFlow::Break(())
    });
    own.replace(Some(periodic));
    host.run();
}
