//! When timers run, and when they do not.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest, Timer};

use crate::cases;
use crate::pairs::{Heard, fence, pair, script, script_on, settled, write};
use crate::world::World;

cases!(
    timers_run_by_deadline_and_then_by_insertion,
    no_timer_and_no_sleep_is_early,
    a_zero_delay_runs_in_the_next_turn,
    a_reset_moves_a_timer_earlier_and_later,
    a_callback_may_cancel_and_reset_the_timers_of_its_turn,
    a_dropped_timer_drops_its_callback_and_never_runs,
    a_distant_timer_does_not_overflow,
    a_past_deadline_runs_at_once,
    a_hundred_later_timers_cost_no_wake_and_no_interrupt,
    a_timer_set_outside_a_turn_runs,
    a_sleep_that_is_dropped_or_polled_by_another_wakes_the_right_one;
    interleaved:
    an_earlier_timer_set_while_the_worker_blocks_interrupts_it_once,
);

/// Behaviour 27.
fn timers_run_by_deadline_and_then_by_insertion(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let start = Instant::now() + Duration::from_millis(5);
            let mut timers = Vec::new();
            for (number, late) in [3_u64, 1, 2, 1, 3, 2, 1].into_iter().enumerate() {
                let tell = heard.clone();
                let at = start + Duration::from_micros(late * 100);
                timers.push(reactor.at(at, move || tell.tell((late, number))));
            }
            let order = heard.take(7).await;
            assert_eq!(order, [(1, 1), (1, 3), (1, 6), (2, 2), (2, 5), (3, 0), (3, 4)]);
            assert!(timers.iter().all(|timer| !timer.is_pending()));
        }
    });
}

/// Behaviour 27.
fn no_timer_and_no_sleep_is_early(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let delays = [0, 1, 999, 1000, 1001, 1500, 2500, 10_000].map(Duration::from_micros);
            let timers = delays.map(|delay| {
                let (tell, set) = (heard.clone(), Instant::now());
                reactor.after(delay, move || tell.tell((delay, set.elapsed())))
            });
            for (delay, took) in heard.take(delays.len()).await {
                assert!(took >= delay, "{delay:?} took {took:?}");
            }
            drop(timers);
            for delay in delays {
                let set = Instant::now();
                reactor.sleep(delay).await;
                assert!(set.elapsed() >= delay, "{delay:?} took {:?}", set.elapsed());
            }
        }
    });
}

/// Behaviour 27: not in this one, whatever callback sets it.
fn a_zero_delay_runs_in_the_next_turn(world: &World) {
    script(world, |reactor| {
        let heard = Heard::new();
        let set = {
            let (reactor, heard) = (reactor.handle(), heard.clone());
            move |what: &'static str| {
                let (turn, inner, tell) = (reactor.stats().turns, reactor.handle(), heard.clone());
                let next = move || tell.tell((what, inner.stats().turns - turn));
                reactor.after(Duration::ZERO, next).detach();
                // Time passes, so that it is due.
                let past = Instant::now();
                while past.elapsed() < Duration::from_micros(10) {}
            }
        };
        let (near, far) = pair();
        write(&far, b"a");
        let from_event = set.clone();
        let source = reactor.register(near, Interest::READABLE, move |_, _| {
            from_event("event");
            Action::Disarm
        });
        let from_timer = set.clone();
        reactor.after(Duration::from_millis(1), move || from_timer("timer")).detach();
        async move {
            set("task");
            let mut heard = heard.take(3).await;
            heard.sort_unstable();
            for (what, turns) in heard {
                assert!(turns >= 1, "a timer of the {what} ran in the same turn");
            }
            drop((source, far));
        }
    });
}

/// Behaviour 28.
fn a_reset_moves_a_timer_earlier_and_later(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let timer = |name: &'static str, delay| {
                let tell = heard.clone();
                reactor.after(delay, move || tell.tell((name, Instant::now())))
            };
            let hour = Duration::from_secs(3600);
            let earlier = timer("earlier", hour);
            let later = timer("later", Duration::ZERO);
            let never = timer("never", Duration::ZERO);
            let at = timer("at", hour);
            let set = Instant::now();
            assert!(earlier.reset(Duration::from_millis(2)));
            assert!(later.reset(Duration::from_millis(4)));
            assert!(never.reset(hour) && never.reset(Duration::ZERO) && never.reset(hour));
            assert!(at.reset_at(set));
            let order = heard.take(3).await;
            let names: Vec<_> = order.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, ["at", "earlier", "later"]);
            assert!(order[1].1 - set >= Duration::from_millis(2));
            assert!(order[2].1 - set >= Duration::from_millis(4));
            assert!(!earlier.reset(hour), "it has fired");
            assert!(never.is_pending());
        }
    });
}

/// Behaviour 28: cancel in its own callback, cancel another due in the same turn.
fn a_callback_may_cancel_and_reset_the_timers_of_its_turn(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let timers: Rc<RefCell<Vec<Timer>>> = Rc::default();
            let at = Instant::now();
            let hour = Duration::from_secs(3600);
            for number in 0..6 {
                let (tell, all, again) = (heard.clone(), Rc::clone(&timers), reactor.handle());
                let set = reactor.at(at, move || {
                    tell.tell(number);
                    match number {
                        // Itself, and the next.
                        0 => drop(all.borrow_mut().drain(..2).collect::<Vec<_>>()),
                        2 => assert!(all.borrow()[1].reset(hour)),
                        4 => {
                            assert!(!all.borrow()[2].reset(hour), "it fires");
                            let tell = tell.clone();
                            again.after(Duration::ZERO, move || tell.tell(6)).detach();
                        }
                        _ => {}
                    }
                });
                timers.borrow_mut().push(set);
            }
            assert_eq!(heard.take(5).await, [0, 2, 4, 5, 6]);
            assert!(timers.borrow()[1].is_pending());
            timers.take();
        }
    });
}

/// Point 4: and what it captured may use the reactor while it is dropped.
fn a_dropped_timer_drops_its_callback_and_never_runs(world: &World) {
    struct Sets(Handle, Heard<u32>);
    impl Drop for Sets {
        fn drop(&mut self) {
            let tell = self.1.clone();
            self.0.after(Duration::ZERO, move || tell.tell(1)).detach();
        }
    }
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let captured = || Sets(reactor.handle(), heard.clone());
            let (once, every) = (captured(), captured());
            let once =
                reactor.after(Duration::from_nanos(1), move || panic!("{}", once.1.rest().len()));
            let every =
                reactor.every(Duration::from_nanos(1), move || panic!("{}", every.1.rest().len()));
            drop(once);
            every.cancel();
            assert_eq!(heard.take(2).await, [1, 1]);
            assert!(reactor.dump().timers.len() <= 1, "the case's own limit: {}", reactor.dump());
        }
    });
}

/// Behaviour 29.
fn a_distant_timer_does_not_overflow(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            let never = || panic!("that was not long");
            let year = Duration::from_secs(365 * 86_400);
            let far = [
                reactor.after(Duration::MAX, never),
                reactor.after(Duration::from_nanos(u64::MAX), never),
                reactor.after(year * 600, never),
                reactor.at(Instant::now() + year * 100, never),
                reactor.every(Duration::MAX, || panic!("nor that")),
            ];
            let mut asleep = Box::pin(reactor.sleep(Duration::MAX));
            let pending = asleep.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            assert!(pending.is_pending());
            let tell = heard.clone();
            let near = reactor.after(Duration::from_millis(1), move || tell.tell(()));
            heard.next().await;
            assert!(near.reset(Duration::MAX) || !near.is_pending());
            assert!(far.iter().all(Timer::is_pending));
            for timer in &far {
                assert!(timer.reset(Duration::MAX));
            }
            fence(&reactor).await;
        }
    });
}

/// Behaviour 29.
fn a_past_deadline_runs_at_once(world: &World) {
    script(world, |reactor| {
        let (reactor, heard) = (reactor.handle(), Heard::new());
        async move {
            for back in [Duration::ZERO, Duration::from_millis(1), Duration::from_secs(10)] {
                let Some(past) = Instant::now().checked_sub(back) else { continue };
                let tell = heard.clone();
                let timer = reactor.at(past, move || tell.tell(()));
                heard.next().await;
                assert!(!timer.is_pending());
            }
        }
    });
}

/// Point 4, behaviour 11.
fn a_hundred_later_timers_cost_no_wake_and_no_interrupt(world: &World) {
    let reactor = world.reactor();
    script_on(&reactor, world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let minute = Duration::from_secs(60);
            let _earlier = reactor.after(minute, || ());
            fence(&reactor).await;
            settled(&reactor).await;
            let before = reactor.stats();
            let later: Vec<_> =
                (0..100).map(|more| reactor.after(2 * minute + more * minute, || ())).collect();
            let after = reactor.stats();
            assert_eq!(after.wakes_requested, before.wakes_requested);
            assert_eq!(after.interrupts, before.interrupts);
            drop(later);
        }
    });
}

/// Behaviour 12, outside a turn.
fn an_earlier_timer_set_while_the_worker_blocks_interrupts_it_once(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let later = reactor.after(Duration::from_secs(3600), || ());
    // The worker has seen it when a call made after it has come round.
    let heard = Rc::new(Cell::new(false));
    let told = Rc::clone(&heard);
    reactor.after(Duration::from_millis(1), move || told.set(true)).detach();
    host.run_until(|| heard.get());
    let before = reactor.stats();
    let timers: Vec<_> =
        (0..100).map(|_| reactor.after(Duration::from_secs(7200), || ())).collect();
    let after = reactor.stats();
    assert_eq!(after.interrupts, before.interrupts);
    assert_eq!(after.wakes_requested, before.wakes_requested);
    let told = Rc::clone(&heard);
    heard.set(false);
    reactor.after(Duration::from_millis(20), move || told.set(true)).detach();
    assert!(reactor.stats().interrupts - before.interrupts <= 1);
    host.run_until(|| heard.get());
    drop((timers, later));
}

/// Point 4.
fn a_timer_set_outside_a_turn_runs(world: &World) {
    let reactor = world.reactor();
    let early = Rc::new(Cell::new(0));
    let timers = [0, 1, 2000].map(|micros| {
        let early = Rc::clone(&early);
        reactor.after(Duration::from_micros(micros), move || early.set(early.get() + 1))
    });
    let host = world.host(&reactor);
    let done = host.clone();
    reactor.after(Duration::from_millis(3), move || done.done()).detach();
    host.run();
    assert_eq!(early.get(), 3);
    drop(timers);
}

/// Tells who polls it which waker it is to be woken by.
struct Handed<F>(Pin<Box<F>>, Waker);

impl<F: Future> Future for Handed<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<F::Output> {
        let waker = self.1.clone();
        self.0.as_mut().poll(&mut Context::from_waker(&waker))
    }
}

/// Point 8.
fn a_sleep_that_is_dropped_or_polled_by_another_wakes_the_right_one(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            // Dropped before it was polled, and after.
            drop(reactor.sleep(Duration::from_millis(1)));
            let mut polled = Box::pin(reactor.sleep(Duration::from_millis(1)));
            let mut nobody = Context::from_waker(Waker::noop());
            assert!(polled.as_mut().poll(&mut nobody).is_pending());
            drop(polled);
            assert!(reactor.dump().timers.len() <= 1, "the case's own limit: {}", reactor.dump());
            // Polled first by one, and then by another, who alone is woken.
            let sleep = Box::pin(reactor.sleep(Duration::from_millis(2)));
            let mut handed = Handed(sleep, Waker::noop().clone());
            assert!(Pin::new(&mut handed).poll(&mut nobody).is_pending());
            let Handed(sleep, _) = handed;
            let task = reactor.spawn_local(sleep);
            task.await;
            // One that is over stays over.
            let mut over = Box::pin(reactor.sleep(Duration::ZERO));
            over.as_mut().await;
            assert!(over.as_mut().poll(&mut nobody).is_ready());
        }
    });
}
