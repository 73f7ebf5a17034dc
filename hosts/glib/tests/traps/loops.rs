//! Loops inside loops, and reactors beside each other.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use glib::MainLoop;
use interloop::{Handle, Reactor};
use interloop_glib::Attach;

use crate::world::{LIMIT, World, each_drive, in_own_context, quit_when_idle, run};

const DEPTH: usize = 3;

/// What happens in every loop, at every depth.
#[derive(Default)]
struct Seen {
    deepest: Cell<usize>,
    calls: Cell<usize>,
    timers: Cell<usize>,
}

/// Opens a loop inside a callback, and in a callback of that the next.
fn descend(handle: &Handle, outer: &MainLoop, depth: usize, seen: &Rc<Seen>) {
    seen.deepest.set(seen.deepest.get().max(depth));
    if depth == DEPTH {
        return;
    }
    let nested = MainLoop::new(Some(&outer.context()), false);
    let (inner, deeper, counting) = (handle.clone(), nested.clone(), Rc::clone(seen));
    let timer = move || {
        counting.timers.set(counting.timers.get() + 1);
        descend(&inner, &deeper, depth + 1, &counting);
        // What was posted from the innermost loop runs in this one or in one further in.
        let (calls, quitting) = (Rc::clone(&counting), deeper.clone());
        let call = async move {
            calls.calls.set(calls.calls.get() + 1);
            quitting.quit();
        };
        inner.spawn_local(call).detach();
    };
    handle.after(Duration::from_millis(1), timer).detach();
    run(&nested);
}

#[test]
fn loops_three_deep_go_on() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
        let seen = Rc::new(Seen::default());
        let (inside, handle) = (Rc::clone(&seen), reactor.handle());
        let outer = world.main_loop.clone();
        let begin = move || {
            descend(&handle, &outer, 0, &inside);
            handle.stop();
        };
        reactor.after(Duration::ZERO, begin).detach();
        world.run();
        assert!(reactor.is_stopped());
        let counts = [seen.deepest.get(), seen.calls.get(), seen.timers.get()];
        assert_eq!(counts, [DEPTH; 3]);
    });
}

#[test]
fn two_reactors_share_a_context_and_end_one_by_one() {
    each_drive(|world, attach| {
        let (first, second) = (Reactor::new().unwrap(), Reactor::new().unwrap());
        let _first = attach.clone().to(&first).unwrap().keep_running();
        let _second = attach.main_loop(&world.main_loop).to(&second).unwrap();
        let rounds = Rc::new(Cell::new(0));
        ping(first.handle(), second.handle(), Rc::clone(&rounds));
        world.run();
        assert_eq!(rounds.get(), 100);
        assert!(first.is_stopped() && second.is_stopped());
    });
}

/// Each has the other go on, until one stops, and the other, some time after that, itself.
fn ping(here: Handle, there: Handle, rounds: Rc<Cell<u32>>) {
    let turn = here.clone();
    let task = here.spawn_local(async move {
        turn.sleep(Duration::from_micros(10)).await;
        rounds.set(rounds.get() + 1);
        if rounds.get() < 99 {
            ping(there, turn, rounds);
            return;
        }
        turn.stop();
        let (last, stopped) = (there.clone(), turn.remote().stopped());
        let end = async move {
            stopped.await;
            last.sleep(Duration::from_millis(1)).await;
            rounds.set(rounds.get() + 1);
            last.stop();
        };
        there.spawn_local(end).detach();
    });
    task.detach();
}

#[test]
fn a_loop_may_be_run_again() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.to(&reactor).unwrap();
        for _ in 0..3 {
            quit_when_idle(&reactor, &world.main_loop);
            world.run();
        }
        assert!(!reactor.is_stopped());
    });
}

#[test]
fn an_idle_reactor_leaves_the_context_asleep() {
    in_own_context(|world: &World| {
        let reactor = Reactor::new().unwrap();
        let _attached = Attach::new().to(&reactor).unwrap();
        reactor.after(LIMIT, || ()).detach();
        world.run_dry();
        let turns = reactor.stats().turns;
        assert!(!world.context.iteration(false), "there is something to dispatch");
        assert_eq!(reactor.stats().turns, turns);
    });
}

#[test]
fn futures_of_glib_s_are_awaited_in_tasks_and_ours_in_its() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.to(&reactor).unwrap();
        let (ours, theirs) = async_channel::unbounded();
        let task = async move {
            glib::timeout_future(Duration::from_millis(1)).await;
            ours.send("slept in a source of GLib's").await.unwrap();
        };
        reactor.spawn_local(task).detach();
        let (handle, quitting) = (reactor.handle(), world.main_loop.clone());
        world.context.spawn_local(async move {
            theirs.recv().await.unwrap();
            handle.sleep(Duration::from_millis(1)).await;
            quitting.quit();
        });
        world.run();
    });
}
