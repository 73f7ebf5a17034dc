//! The end, when there is no application: the guard.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use glib::translate::from_glib;
use glib::{ControlFlow, MainContext, MainLoop, Priority, SourceId};
use interloop::{Phase, Reactor, Report};
use interloop_glib::Attached;

use crate::world::{Count, LIMIT, World, each_drive, run, token};

/// A reactor, and what it has reported.
fn reporting() -> (Reactor, Arc<Mutex<Vec<String>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let writing = Arc::clone(&reports);
    let report = move |report: &Report<'_>| writing.lock().unwrap().push(report.to_string());
    (Reactor::builder().reporter(report).build().unwrap(), reports)
}

#[test]
fn dropping_the_guard_finishes_the_reactor() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
        let (held, token) = token();
        let handle = reactor.handle();
        let before = async move {
            handle.sleep(Duration::from_millis(1)).await;
            drop(held);
        };
        reactor.on_shutdown(Phase::Before, before).unwrap().detach();
        drop(attached);
        assert!(reactor.is_stopped());
        assert_eq!(Rc::strong_count(&token), 1);
        // Nothing is left in the context, and nothing quits a loop that is run for something else.
        assert!(!world.context.iteration(false));
    });
}

#[test]
fn what_does_not_end_is_abandoned_at_the_limit_and_reported() {
    each_drive(|_world, attach| {
        let (reactor, reports) = reporting();
        let limit = Duration::from_millis(10);
        let attached = attach.to(&reactor).unwrap().finish_within(limit);
        let never = reactor.on_shutdown(Phase::Before, pending::<()>()).unwrap();
        never.label("never done").detach();
        drop(attached);
        assert!(reactor.is_stopped());
        let reports = reports.lock().unwrap();
        assert!(reports.iter().any(|report| report.contains("never done")), "{reports:?}");
    });
}

#[test]
fn the_reactor_may_be_dropped_before_the_guard() {
    each_drive(|world, attach| {
        let (reactor, reports) = reporting();
        let attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
        let (held, token) = token();
        reactor.after(LIMIT, move || drop(held)).detach();
        drop(reactor);
        assert_eq!(Rc::strong_count(&token), 1);
        world.run_dry();
        drop(attached);
        assert!(!world.context.iteration(false));
        assert_eq!(*reports.lock().unwrap(), [""; 0]);
    });
}

#[test]
fn a_guard_that_is_dropped_in_a_callback_finishes_nothing_and_says_so() {
    each_drive(|world, attach| {
        let (reactor, reports) = reporting();
        let attached: Rc<RefCell<Option<Attached>>> = Rc::default();
        attached.replace(Some(attach.to(&reactor).unwrap()));
        let (guard, quitting) = (Rc::clone(&attached), world.main_loop.clone());
        let callback = async move {
            let guard = guard.take();
            drop(guard);
            quitting.quit();
        };
        reactor.spawn_local(callback).detach();
        world.run();
        assert!(!reactor.is_stopped());
        assert_eq!(reports.lock().unwrap().len(), 1, "{reports:?}");
        let ended = Rc::new(Cell::new(false));
        let end = Rc::clone(&ended);
        reactor.spawn_local(async move { end.set(true) }).detach();
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        assert!(ended.get());
    });
}

/// Calls from here on would run in a context that another thread may iterate.
#[test]
fn a_guard_that_is_dropped_in_a_callback_lets_go_of_the_context() {
    each_drive(|world, attach| {
        let (reactor, _reports) = reporting();
        let attached = attach.to(&reactor).unwrap();
        let quitting = world.main_loop.clone();
        let callback = async move {
            drop(attached);
            quitting.quit();
        };
        reactor.spawn_local(callback).detach();
        world.run();
        let ran = Count::default();
        reactor.remote().call(ran.call()).unwrap();
        world.run_dry();
        assert_eq!(ran.get(), 0);
        assert!(!has_source(&world.context, "interloop"));
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        assert_eq!(ran.get(), 1);
    });
}

/// Whether a new context has a source of this name.
fn has_source(context: &MainContext, name: &str) -> bool {
    // They are numbered from 1.
    (1..100).any(|id| {
        // SAFETY: the number is only looked up.
        let id: SourceId = unsafe { from_glib(id) };
        let source = context.find_source_by_id(&id);
        source.is_some_and(|source| source.name().is_some_and(|found| found.starts_with(name)))
    })
}

/// Runs the loop for some time, in which nothing else may quit it.
fn run_for_a_while(world: &World) {
    let (ended, quitting) = (Count::default(), world.main_loop.clone());
    let end = ended.call();
    let quit = glib::timeout_source_new(Duration::from_millis(50), None, Priority::DEFAULT, {
        let mut end = Some(end);
        move || {
            end.take().unwrap()();
            quitting.quit();
            ControlFlow::Break
        }
    });
    quit.attach(Some(&world.context));
    world.run();
    assert_eq!(ended.get(), 1, "something has quit");
}

/// As that of a login dialog.
#[test]
fn a_reactor_that_stops_in_a_loop_before_the_loop_quits_that_when_it_runs() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
        let dialog = MainLoop::new(Some(&world.context), false);
        let (stopped, closing) = (reactor.remote().stopped(), dialog.clone());
        world.context.spawn_local(async move {
            stopped.await;
            glib::timeout_future(Duration::from_millis(1)).await;
            closing.quit();
        });
        reactor.stop();
        run(&dialog);
        assert!(reactor.is_stopped());
        world.run();
        // It is done.
        run_for_a_while(world);
    });
}

#[test]
fn a_reactor_that_has_finished_before_the_loop_quits_that_when_it_runs() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        world.run_dry();
        world.run();
    });
}

#[test]
fn a_loop_that_is_to_be_left_alone_is_even_if_the_reactor_stops_before() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let attach = attach.main_loop(&world.main_loop);
        let _attached = attach.to(&reactor).unwrap().keep_running();
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        run_for_a_while(world);
    });
}

#[test]
fn a_guard_that_is_dropped_before_the_loop_quits_nothing() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        drop(attached);
        assert!(!has_source(&world.context, "interloop"));
        run_for_a_while(world);
    });
}

/// The loop has quit by itself, in the pass in which the reactor has stopped.
#[test]
fn a_quit_that_is_on_its_way_goes_with_the_guard() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
        let quitting = world.main_loop.clone();
        reactor.on_shutdown(Phase::After, async move { quitting.quit() }).unwrap().detach();
        reactor.stop();
        world.run();
        assert!(reactor.is_stopped());
        drop(attached);
        assert!(!has_source(&world.context, "interloop"));
        run_for_a_while(world);
    });
}

#[test]
fn the_reactor_quits_the_loop_when_it_has_stopped() {
    each_drive(|world, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.main_loop(&world.main_loop).to(&reactor).unwrap();
        let (phases, first) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let (all, before) = (Rc::clone(&phases), Rc::clone(&first));
        let is_running = world.main_loop.clone();
        let last = async move {
            assert!(is_running.is_running());
            all.set(before.get() + 1);
        };
        reactor.on_shutdown(Phase::After, last).unwrap().detach();
        let begin = async move { first.set(1) };
        reactor.on_shutdown(Phase::Before, begin).unwrap().detach();
        reactor.stop();
        world.run();
        assert_eq!(phases.get(), 2);
        assert!(reactor.is_stopped());
    });
}
