//! What only SDL can do wrong. Each is run in a process of its own.

mod leftovers;
mod watches;

use std::cell::Cell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use interloop::testing::Kit;
use interloop::{Handle, Reactor};
use interloop_sdl::{Attached, Drive, attach, waker};

use crate::common::{Kind, Program, Sdl};

/// Adds a case for each.
pub fn add<K: Kind>(kit: Kit) -> Kit {
    type Case = (&'static str, fn() -> io::Result<()>);
    let cases: [Case; 12] = [
        ("a_full_queue_loses_nothing", a_full_queue_loses_nothing::<K::Sdl>),
        ("a_full_queue_delays_quit", a_full_queue_delays_quit::<K::Sdl>),
        ("nothing_is_left_in_the_queue", nothing_is_left_in_the_queue::<K::Sdl>),
        ("two_reactors_on_one_queue", two_reactors_on_one_queue::<K::Sdl>),
        ("frames_go_on_beside_a_busy_reactor", frames_go_on_beside_a_busy_reactor::<K::Sdl>),
        ("ticks_by_the_raw_hook", ticks_by_the_raw_hook::<K::Sdl>),
        (
            "a_watch_on_another_thread_runs_no_turn",
            watches::a_watch_on_another_thread_runs_no_turn::<K::Sdl>,
        ),
        (
            "a_watch_inside_the_waker_runs_no_turn",
            watches::a_watch_inside_the_waker_runs_no_turn::<K::Sdl>,
        ),
        ("types_of_events_come_back", leftovers::types_of_events_come_back::<K::Sdl>),
        (
            "a_quit_that_nobody_has_seen_goes_with_the_guard",
            leftovers::a_quit_that_nobody_has_seen_goes_with_the_guard::<K::Sdl>,
        ),
        (
            "a_panic_out_of_the_guard_leaves_nothing",
            leftovers::a_panic_out_of_the_guard_leaves_nothing::<K::Sdl>,
        ),
        ("a_watch_hears_of_one_call_to_quit", watches::a_watch_hears_of_one_call_to_quit::<K::Sdl>),
    ];
    cases.into_iter().fold(kit, |kit, (name, run)| kit.case::<Program<K>>(name, run))
}

/// Longer than any of it takes.
const LIMIT: Duration = Duration::from_secs(60);
/// How many events a queue of SDL holds.
const CAPACITY: usize = 65_535;

fn open<S: Sdl>() -> io::Result<S> {
    S::open(true).map_err(io::Error::other)
}

/// Pushes events until no more are taken.
fn fill<S: Sdl>(sdl: &S) {
    let count = (0..=CAPACITY).take_while(|_| sdl.push_quit().is_ok()).count();
    assert!(count <= CAPACITY, "the queue is not full, with {count} events");
}

/// Calls something on the reactor's thread, from another one.
fn call(reactor: &Handle) -> Arc<AtomicBool> {
    let ran = Arc::new(AtomicBool::new(false));
    let (remote, call) = (reactor.remote(), Arc::clone(&ran));
    let caller = thread::spawn(move || remote.call(move || call.store(true, Ordering::Relaxed)));
    assert!(caller.join().expect("it calls").is_ok());
    ran
}

/// Takes events until `done`, which hears how many of them were calls to quit.
fn run_until<S: Sdl>(sdl: &S, attached: &[&Attached], done: impl Fn(usize) -> bool) {
    let mut quits = 0;
    while !done(quits) {
        let Some(event) = sdl.wait(LIMIT) else { panic!("no event came") };
        if !attached.iter().any(|attached| attached.handle(&event)) {
            quits += usize::from(S::is_quit(&event));
        }
    }
}

/// The post fails, and is repeated when there is room.
fn a_full_queue_loses_nothing<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?;
    assert_eq!(attached.drive(), Drive::Worker);
    fill(&sdl);
    let ran = call(&reactor);
    // The first post, and one that the worker has repeated.
    while reactor.stats().wakes_failed < 2 {
        thread::yield_now();
    }
    assert!(!ran.load(Ordering::Relaxed));
    run_until(&sdl, &[&attached], |_| ran.load(Ordering::Relaxed));
    Ok(())
}

/// The reactor stops while the queue is full: the program is told to quit when there is room.
fn a_full_queue_delays_quit<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?.finish_within(LIMIT);
    while sdl.push_own().is_ok() {}
    reactor.stop();
    while !reactor.is_stopped() {
        reactor.turn();
    }
    run_until(&sdl, &[&attached], |quits| quits > 0);
    Ok(())
}

/// What follows in the program finds no event of a reactor that is gone, and no call to quit.
fn nothing_is_left_in_the_queue<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?;
    let ran = call(&reactor);
    drop(attached);
    assert!(ran.load(Ordering::Relaxed) && reactor.is_stopped());
    check_nothing_is_left(&sdl);
    Ok(())
}

fn check_nothing_is_left<S: Sdl>(sdl: &S) {
    // SDL says that there are no more events where a round of looking ends, and goes on in the next.
    for _ in 0..2 {
        while let Some(event) = sdl.poll() {
            assert!(S::user_type(&event).is_none() && !S::is_quit(&event));
        }
    }
}

/// Each gets its own events, and only one of them ends the program.
fn two_reactors_on_one_queue<S: Sdl>() -> io::Result<()> {
    let sdl = open::<S>()?;
    let (first, second) = (Reactor::new()?, Reactor::new()?);
    let stays = attach(&first, sdl.events())?.keep_running();
    let ends = attach(&second, sdl.events())?;
    let both = [&stays, &ends];
    for reactor in [&first, &second] {
        let ran = call(reactor);
        run_until(&sdl, &both, |_| ran.load(Ordering::Relaxed));
    }
    first.stop();
    run_until(&sdl, &both, |quits| {
        assert_eq!(quits, 0);
        first.is_stopped()
    });
    second.stop();
    run_until(&sdl, &both, |quits| second.is_stopped() && quits == 1);
    Ok(())
}

/// Each turn leaves something for the next. A loop that takes all events before it draws comes to draw, and one
/// that waits for the next frame does.
fn frames_go_on_beside_a_busy_reactor<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let attached = attach(&reactor, sdl.events())?;
    let polls = Rc::new(Cell::new(0_u64));
    let count = Rc::clone(&polls);
    let busy = poll_fn(move |context| {
        count.set(count.get() + 1);
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    reactor.spawn_local(busy).detach();
    let frame = Duration::from_millis(2);
    for _ in 0..50 {
        let next = Instant::now() + frame;
        loop {
            let left = next.saturating_duration_since(Instant::now());
            match if left.is_zero() { sdl.poll() } else { sdl.wait(left) } {
                Some(event) => {
                    attached.handle(&event);
                }
                None if left.is_zero() => break,
                None => {}
            }
        }
    }
    assert!(polls.get() > 0 && reactor.stats().wakes_failed == 0);
    Ok(())
}

/// The program looks for the type of the event, and runs the turn.
fn ticks_by_the_raw_hook<S: Sdl>() -> io::Result<()> {
    let (sdl, reactor) = (open::<S>()?, Reactor::new()?);
    let _finish = reactor.finish_on_drop(LIMIT);
    let (wake, event_type) = waker(sdl.events())?;
    reactor.interleave(wake)?;
    let due = Rc::new(Cell::new(false));
    let timer = Rc::clone(&due);
    reactor.after(Duration::from_millis(1), move || timer.set(true)).detach();
    while !due.get() {
        let event = sdl.wait(LIMIT).expect("an event of the reactor's");
        if S::user_type(&event) == Some(event_type) {
            reactor.turn();
        }
    }
    Ok(())
}
