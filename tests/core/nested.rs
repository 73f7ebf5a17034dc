//! Callbacks that open a host loop of their own, as a modal dialog does.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Builder, Handle, Interest, Phase, Reactor, Source, Timer};

use crate::cases;
use crate::futures::yield_now;
use crate::waking::{Ran, event, signal};
use crate::watched::NEVER;
use crate::world::{Host, LIMIT, World};

cases!(
    turn_inside_a_callback_runs_the_others;
    interleaved:
    an_ordinary_turn_of_everything_costs_one_wake,
    a_long_turn_of_short_callbacks_costs_one_wake;
    hosted:
    what_a_callback_adds_works_in_the_loop_that_it_opens,
    what_was_queued_behind_a_callback_runs_in_the_loop_that_it_opens,
    a_callback_is_not_entered_again_in_the_loop_that_it_opens,
    loops_nest_three_deep,
    the_last_calls_come_in_the_loop_that_one_of_them_opens,
    a_task_that_was_woken_before_the_last_calls_goes_on_in_their_loop,
    a_panic_in_a_nested_turn_comes_out_of_the_outermost,
);

/// A builder whose reactor finds a nested loop soon, and repeats no wake: nothing else helps.
fn nesting(world: &World) -> Builder {
    world.patient().nested_grace(Duration::from_millis(1))
}

/// The kinds of callback.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Event,
    Timer,
    Call,
    Task,
}

const KINDS: [Kind; 4] = [Kind::Event, Kind::Timer, Kind::Call, Kind::Task];

type Body = Box<dyn FnOnce()>;

thread_local! {
    /// What calls run, which is not `Send`.
    static BODIES: RefCell<Vec<Option<Body>>> = const { RefCell::new(Vec::new()) };
}

/// Has `body` run once, in a callback of this kind.
fn run_as(kind: Kind, reactor: &Handle, body: impl FnOnce() + 'static) {
    match kind {
        Kind::Event => {
            let event = event();
            signal(&event);
            let mut body = Some(body);
            let source = reactor.register(event, Interest::READABLE, move |_, _| {
                body.take().expect("once")();
                // Removed, it would cost poll and select a wake for its release.
                Action::Disarm
            });
            source.unwrap().detach();
        }
        // Due already.
        Kind::Timer => reactor.at(Instant::now(), body).detach(),
        Kind::Call => {
            let number = BODIES.with_borrow_mut(|bodies| {
                bodies.push(Some(Box::new(body)));
                bodies.len() - 1
            });
            let take = move || BODIES.with_borrow_mut(|bodies| bodies[number].take());
            reactor.remote().call(move || take().expect("once")()).unwrap();
        }
        Kind::Task => reactor.spawn_local(async move { body() }).detach(),
    }
}

/// What a callback may do, after which something has to happen.
struct Things {
    reactor: Handle,
    far: Timer,
    /// Readable, and not armed.
    silent: Source<std::os::fd::OwnedFd>,
    waker: Rc<RefCell<Option<Waker>>>,
    arrived: Rc<Cell<u32>>,
}

type Thing = (&'static str, fn(&Things));

const THINGS: [Thing; 11] = [
    ("a timer", |things| things.reactor.after(Duration::from_millis(1), things.arrive()).detach()),
    ("a timer without delay", |things| {
        things.reactor.after(Duration::ZERO, things.arrive()).detach();
    }),
    ("a period", |things| {
        let mut arrive = things.arrive();
        let once = move || {
            arrive();
            ControlFlow::Break(())
        };
        things.reactor.every(Duration::from_millis(1), once).detach();
    }),
    ("a timer moved forward", |things| assert!(things.far.reset(Duration::from_millis(1)))),
    ("a task", |things| {
        let mut arrive = things.arrive();
        things.reactor.spawn_local(async move { arrive() }).detach();
    }),
    ("a task that sleeps", |things| {
        let (mut arrive, sleep) = (things.arrive(), things.reactor.sleep(Duration::from_millis(1)));
        let task = async move {
            sleep.await;
            arrive();
        };
        things.reactor.spawn_local(task).detach();
    }),
    ("a task that was woken", |things| things.waker.take().expect("it waits").wake()),
    ("a registration", |things| run_as(Kind::Event, &things.reactor, things.arrive())),
    ("a source that was armed", |things| things.silent.arm(Interest::READABLE).unwrap()),
    ("a call", |things| run_as(Kind::Call, &things.reactor, things.arrive())),
    ("a call from another thread", |things| {
        let remote = things.reactor.remote();
        // It wakes the task that counts.
        let waker = things.waker.borrow().clone();
        let call = move || waker.expect("it waits").wake();
        thread::spawn(move || remote.call(call).unwrap());
    }),
];

impl Things {
    fn new(reactor: &Reactor) -> Things {
        let arrived = Rc::new(Cell::new(0));
        let arrive = |count: &Rc<Cell<u32>>| {
            let count = Rc::clone(count);
            move || count.set(count.get() + 1)
        };
        let far_arrives = arrive(&arrived);
        let far = reactor.every(NEVER, move || {
            far_arrives();
            ControlFlow::Continue(())
        });
        let silent_arrives = arrive(&arrived);
        let silent = reactor.register(event(), Interest::NONE, move |_, _| {
            silent_arrives();
            Action::Disarm
        });
        let silent = silent.unwrap();
        signal(silent.get_ref());
        let waker = Rc::new(RefCell::new(None));
        let (place, task_arrives) = (Rc::clone(&waker), arrive(&arrived));
        let mut first = true;
        let task = poll_fn(move |context| {
            *place.borrow_mut() = Some(context.waker().clone());
            if !std::mem::take(&mut first) {
                task_arrives();
            }
            Poll::<()>::Pending
        });
        reactor.spawn_local(task).detach();
        Things { reactor: reactor.handle(), far, silent, waker, arrived }
    }

    fn arrive(&self) -> impl FnMut() + 'static + use<> {
        let count = Rc::clone(&self.arrived);
        move || count.set(count.get() + 1)
    }
}

/// Behaviour 21: each thing alone, so that no other brings a turn for it; and twice in one
/// callback, so that the second comes after turns inside the first nested loop.
fn what_a_callback_adds_works_in_the_loop_that_it_opens(world: &World) {
    for kind in KINDS {
        let reactor = nesting(world).build().unwrap();
        let host = world.host(&reactor);
        let things = Rc::new(Things::new(&reactor));
        host.run_until(|| things.waker.borrow().is_some());
        for (name, thing) in THINGS {
            let returned = Rc::new(Cell::new(false));
            let (inner, things, flag) = (host.clone(), Rc::clone(&things), Rc::clone(&returned));
            run_as(kind, &reactor, move || {
                for _ in 0..2 {
                    let before = things.arrived.get();
                    thing(&things);
                    assert_eq!(things.arrived.get(), before, "{name} at once");
                    inner.run_until(|| things.arrived.get() == before + 1);
                }
                flag.set(true);
            });
            host.run_until(|| returned.get());
        }
    }
}

/// Behaviour 21: items 2..n of the same turn, whatever their kind.
fn what_was_queued_behind_a_callback_runs_in_the_loop_that_it_opens(world: &World) {
    for opener in KINDS {
        let (watched, builder) = world.watched();
        let reactor = builder.nested_grace(Duration::from_millis(1)).build().unwrap();
        let host = world.host(&reactor);
        let (ran, opened) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
        for kind in KINDS {
            for _ in 0..4 {
                let (inner, ran, opened) = (host.clone(), Rc::clone(&ran), Rc::clone(&opened));
                run_as(kind, &reactor, move || {
                    // The first of this kind opens the loop, in which all others run.
                    if kind == opener && !opened.replace(true) {
                        inner.run_until(|| ran.get() == 15);
                    }
                    ran.set(ran.get() + 1);
                });
            }
        }
        if world.is_interleaved() {
            watched.until(|seen| seen.events == 4 && seen.is_waiting());
        }
        host.run_until(|| ran.get() == 16);
    }
}

/// Behaviour 21: it is called again when it has returned, and not before.
fn a_callback_is_not_entered_again_in_the_loop_that_it_opens(world: &World) {
    // The task wakes itself: only a budget ends its turn.
    let reactor = nesting(world).turn_budget(5, NEVER).build().unwrap();
    let host = world.host(&reactor);
    let (entries, beats) = (Rc::new(Cell::new([0_u32; 3])), Rc::new(Cell::new(0_u32)));
    let inside = Rc::new(Cell::new([false; 3]));
    // Opens a loop for some beats of a timer that was due all the while.
    let enter = {
        let (host, entries, beats) = (host.clone(), Rc::clone(&entries), Rc::clone(&beats));
        move |which: usize| {
            let mut now_inside = inside.get();
            assert!(!std::mem::replace(&mut now_inside[which], true), "entered again");
            inside.set(now_inside);
            let until = beats.get() + 5;
            host.run_until(|| beats.get() >= until);
            let mut counts = entries.get();
            counts[which] += 1;
            entries.set(counts);
            now_inside = inside.get();
            now_inside[which] = false;
            inside.set(now_inside);
        }
    };
    let count = Rc::clone(&beats);
    let beat = reactor.every(Duration::from_millis(1), move || {
        count.set(count.get() + 1);
        ControlFlow::Continue(())
    });
    let event = event();
    signal(&event);
    let own = enter.clone();
    let source = reactor.register(event, Interest::READABLE, move |_, _| {
        own(0);
        Action::Rearm
    });
    let own = enter.clone();
    let period = reactor.every(Duration::from_micros(200), move || {
        own(1);
        ControlFlow::Continue(())
    });
    let task = reactor.spawn_local(poll_fn(move |context| {
        context.waker().wake_by_ref();
        enter(2);
        Poll::<()>::Pending
    }));
    host.run_until(|| entries.get().iter().all(|&count| count >= 3));
    drop((beat, source, period, task));
}

/// Behaviour 21.
fn loops_nest_three_deep(world: &World) {
    fn open(reactor: &Handle, host: &Host, depth: usize, order: &Rc<RefCell<Vec<usize>>>) {
        let (inner, next, order) = (host.clone(), reactor.handle(), Rc::clone(order));
        run_as(KINDS[depth % KINDS.len()], reactor, move || {
            if depth < 5 {
                open(&next, &inner, depth + 1, &order);
                inner.run_until(|| order.borrow().last() == Some(&(depth + 1)));
            }
            order.borrow_mut().push(depth);
        });
    }
    let reactor = nesting(world).build().unwrap();
    let host = world.host(&reactor);
    let order = Rc::new(RefCell::new(Vec::new()));
    open(&reactor, &host, 0, &order);
    host.run_until(|| order.borrow().len() == 6);
    assert_eq!(*order.borrow(), [5, 4, 3, 2, 1, 0]);
    assert_eq!(reactor.stats().nesting, 6);
}

/// Behaviours 21 and 34: those that the end of the reactor runs, more of them than one turn takes.
fn the_last_calls_come_in_the_loop_that_one_of_them_opens(world: &World) {
    let reactor = nesting(world).turn_budget(2, LIMIT).build().unwrap();
    let host = world.host(&reactor);
    let ran = Rc::new(Cell::new(0));
    for number in 0..10 {
        let (inner, ran) = (host.clone(), Rc::clone(&ran));
        run_as(Kind::Call, &reactor, move || {
            ran.set(ran.get() + 1);
            if number == 3 {
                inner.run_until(|| ran.get() == 10);
            }
        });
    }
    reactor.stop();
    host.run_until(|| reactor.is_stopped());
    assert_eq!(ran.get(), 10);
}

/// It was woken after the last look into the inbox, and its tick is run in the loop that a last call opens.
fn a_task_that_was_woken_before_the_last_calls_goes_on_in_their_loop(world: &World) {
    let reactor = nesting(world).build().unwrap();
    let host = world.host(&reactor);
    let done = Rc::new(Cell::new(false));
    let (inner, handle, seen) = (host.clone(), reactor.handle(), Rc::clone(&done));
    let trigger = reactor.on_shutdown(Phase::After, async move {
        let wakers = Rc::new(RefCell::new(None));
        let (put, woken) = (Rc::clone(&wakers), Rc::clone(&seen));
        let task = poll_fn(move |cx| match put.replace(Some(cx.waker().clone())) {
            None => Poll::Pending,
            Some(_) => {
                woken.set(true);
                Poll::Ready(())
            }
        });
        handle.spawn_local(task).detach();
        while wakers.borrow().is_none() {
            yield_now().await;
        }
        run_as(Kind::Call, &handle, move || inner.run_until(|| seen.get()));
        let waker = wakers.borrow().clone().expect("it has been polled");
        thread::spawn(move || waker.wake()).join().unwrap();
    });
    trigger.unwrap().detach();
    reactor.stop();
    host.run_until(|| reactor.is_stopped());
    assert!(done.get());
}

/// Behaviours 20 and 21: the callback that opened the loop did nothing wrong.
fn a_panic_in_a_nested_turn_comes_out_of_the_outermost(world: &World) {
    for kind in KINDS {
        let reactor = nesting(world).build().unwrap();
        let host = world.host(&reactor);
        let (returned, ran) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(0)));
        let (inner, next, flag, count) =
            (host.clone(), reactor.handle(), Rc::clone(&returned), Rc::clone(&ran));
        run_as(Kind::Timer, &reactor, move || {
            for number in 0..3 {
                let count = Rc::clone(&count);
                run_as(kind, &next, move || {
                    count.set(count.get() + 1);
                    if number < 2 {
                        // Without the hook, which would print it.
                        resume_unwind(Box::new("of the nested turn"));
                    }
                });
            }
            inner.run_until(|| count.get() == 3);
            flag.set(true);
        });
        for panics in 1..=2 {
            let run = AssertUnwindSafe(|| host.run_until(|| false));
            let panic = catch_unwind(run).expect_err("the panic was swallowed");
            let what = panic.downcast_ref::<&str>().copied();
            assert_eq!(what, Some("of the nested turn"), "panic {panics}, of a {kind:?}");
            assert!(returned.get(), "the outer callback was unwound");
        }
        // The reactor goes on.
        run_as(kind, &reactor, move || returned.set(false));
        let ended = Ran::default();
        ended.call(&reactor.remote(), 0, 0);
        host.run_until(|| ended.len() == 1 && reactor.stats().turns > 0);
    }
}

/// Behaviours 4 and 21: what the nested loops need costs the ordinary turn nothing.
fn an_ordinary_turn_of_everything_costs_one_wake(world: &World) {
    const EACH: usize = 300;
    let (watched, builder) = world.watched();
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let ran = Rc::new(Cell::new(0));
    let add = |kind| {
        for _ in 0..EACH {
            let ran = Rc::clone(&ran);
            run_as(kind, &reactor, move || ran.set(ran.get() + 1));
        }
    };
    add(Kind::Timer);
    // This is the worker's wake, for the timers; all others find it outstanding.
    let tick = host.queue.take(Instant::now() + LIMIT).expect("the timers are due");
    watched.until(|seen| seen.is_waiting());
    add(Kind::Event);
    add(Kind::Call);
    add(Kind::Task);
    watched.until(|seen| seen.events == EACH && seen.is_waiting());
    assert_eq!(host.queue.len(), 0);
    tick.run();
    assert_eq!(ran.get(), 4 * EACH);
    let stats = reactor.stats();
    assert_eq!((stats.wakes_issued, stats.wakes_nested, stats.turns), (1, 0, 1), "{stats:?}");
}

/// Behaviour 21: a turn may last; it is a callback that lasts which is taken for a nested loop.
fn a_long_turn_of_short_callbacks_costs_one_wake(world: &World) {
    const GRACE: Duration = Duration::from_millis(40);
    let reactor = world.patient().nested_grace(GRACE).build().unwrap();
    let host = world.host(&reactor);
    let longest = Rc::new(Cell::new(Duration::ZERO));
    let ran = Rc::new(Cell::new(0));
    for _ in 0..50 {
        let (longest, ran) = (Rc::clone(&longest), Rc::clone(&ran));
        run_as(Kind::Call, &reactor, move || {
            let began = Instant::now();
            while began.elapsed() < Duration::from_millis(3) {
                std::hint::spin_loop();
            }
            ran.set(ran.get() + 1);
            longest.set(longest.get().max(began.elapsed()));
        });
    }
    host.run_until(|| ran.get() == 50);
    // On a machine that took one of them off its processor, it was long.
    let stats = reactor.stats();
    if longest.get() < GRACE / 2 {
        assert_eq!((stats.wakes_issued, stats.wakes_nested), (1, 0), "{stats:?}");
    }
}

/// Behaviour 21, where the callback itself runs the turns: on both drives.
fn turn_inside_a_callback_runs_the_others(world: &World) {
    for opener in KINDS {
        let (watched, builder) = world.watched();
        let reactor = builder.build().unwrap();
        let host = world.host(&reactor);
        let ran = Rc::new(Cell::new(0));
        let opened = Rc::new(Cell::new(false));
        let idle = Rc::new(Cell::new(false));
        for kind in KINDS {
            for _ in 0..4 {
                let (inner, ran, opened) = (reactor.handle(), Rc::clone(&ran), Rc::clone(&opened));
                let (done, idle) = (host.clone(), Rc::clone(&idle));
                run_as(kind, &reactor, move || {
                    if kind == opener && !opened.replace(true) {
                        let before = ran.get();
                        inner.turn();
                        idle.set(ran.get() == before);
                    }
                    ran.set(ran.get() + 1);
                    if ran.get() == 16 {
                        done.done();
                    }
                });
            }
        }
        if world.is_interleaved() {
            watched.until(|seen| seen.events == 4 && seen.is_waiting());
        }
        host.run();
        assert_eq!(ran.get(), 16);
        assert!(opened.get() && !idle.get(), "the turn ran nothing");
    }
}
