//! The end, when there is no application: the guard.

use std::cell::{Cell, RefCell};
use std::future::pending;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use interloop::{Phase, Reactor, Report};
use interloop_glib::Attached;

use crate::world::{LIMIT, each_drive, token};

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
