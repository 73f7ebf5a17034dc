//! Applications: their shutdown is ours, and ours is theirs.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use gio::prelude::*;
use gio::{Application, ApplicationFlags};
use glib::{ExitCode, MainContext, MainLoop};
use interloop::{Phase, Reactor};
use interloop_glib::{Attach, Drive};

use crate::world::global;

fn each_drive(case: impl Fn(Application, Attach)) {
    let _global = global();
    for attach in [Attach::new(), Attach::new().drive(Drive::Worker)] {
        let application = Application::new(None, ApplicationFlags::NON_UNIQUE);
        application.connect_activate(|_| ());
        case(application, attach);
        assert!(!MainContext::default().is_owner());
        assert!(!MainContext::default().iteration(false), "something is left in the context");
    }
}

fn run(application: &Application) {
    assert_eq!(application.run_with_args::<&str>(&[]), ExitCode::SUCCESS);
}

/// A `Before` trigger that takes some turns; the flag says that it came to its end.
fn goodbye(reactor: &Reactor) -> Rc<Cell<bool>> {
    let said = Rc::new(Cell::new(false));
    let (saying, handle) = (Rc::clone(&said), reactor.handle());
    let goodbye = async move {
        for _ in 0..3 {
            handle.sleep(Duration::from_millis(1)).await;
        }
        saying.set(true);
    };
    reactor.on_shutdown(Phase::Before, goodbye).unwrap().detach();
    said
}

#[test]
fn the_reactor_finishes_inside_the_shutdown_of_the_application() {
    each_drive(|application, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.to(&reactor).unwrap();
        let said = goodbye(&reactor);
        let (quitting, handle) = (application.clone(), reactor.handle());
        let quit = move || quitting.quit();
        reactor.after(Duration::from_millis(1), quit).detach();
        let (seen, heard) = (Rc::clone(&said), Rc::new(Cell::new(false)));
        let hearing = Rc::clone(&heard);
        application.connect_shutdown(move |_| hearing.set(seen.get() && handle.is_stopped()));
        let hold = application.hold();
        run(&application);
        assert!(said.get() && heard.get());
        drop(hold);
    });
}

#[test]
fn the_application_quits_when_the_reactor_has_stopped() {
    each_drive(|application, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.to(&reactor).unwrap();
        let said = goodbye(&reactor);
        let handle = reactor.handle();
        let stop = move || handle.stop();
        reactor.after(Duration::from_millis(1), stop).detach();
        let _hold = application.hold();
        run(&application);
        assert!(said.get() && reactor.is_stopped());
    });
}

/// `quit` does not end the loop of a dialog: the shutdown comes when that loop has ended, and the callback.
#[test]
fn an_application_that_quits_below_a_nested_loop_finishes_the_reactor_behind_it() {
    each_drive(|application, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.to(&reactor).unwrap();
        let said = goodbye(&reactor);
        let (quitting, handle) = (application.clone(), reactor.handle());
        let returned = Rc::new(Cell::new(false));
        let flag = Rc::clone(&returned);
        let open = move || {
            let dialog = MainLoop::new(None, false);
            let (quit, closed) = (move || quitting.quit(), dialog.clone());
            handle.after(Duration::from_millis(1), quit).detach();
            handle.after(Duration::from_millis(5), move || closed.quit()).detach();
            dialog.run();
            assert!(!handle.is_stopped(), "it has finished inside of its own callback");
            flag.set(true);
        };
        reactor.after(Duration::from_millis(1), open).detach();
        let (seen, heard) = (Rc::clone(&said), Rc::new(Cell::new(false)));
        let (hearing, handle) = (Rc::clone(&heard), reactor.handle());
        application.connect_shutdown(move |_| hearing.set(seen.get() && handle.is_stopped()));
        let _hold = application.hold();
        run(&application);
        assert!(returned.get() && heard.get());
    });
}

#[test]
fn an_application_that_is_to_be_left_alone_is() {
    each_drive(|application, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.to(&reactor).unwrap().keep_running();
        reactor.stop();
        let stopped = reactor.remote().stopped();
        let (ended, quitting) = (Rc::new(Cell::new(false)), application.clone());
        let end = Rc::clone(&ended);
        let _hold = application.hold();
        MainContext::default().spawn_local(async move {
            stopped.await;
            // Not before the sources that are ready have been dispatched.
            glib::timeout_future(Duration::from_millis(1)).await;
            end.set(true);
            quitting.quit();
        });
        run(&application);
        assert!(ended.get() && reactor.is_stopped());
    });
}

#[test]
fn an_application_whose_reactor_has_ended_before_can_be_run() {
    each_drive(|application, attach| {
        let reactor = Reactor::new().unwrap();
        let attached = attach.to(&reactor).unwrap();
        assert!(reactor.finish(Duration::from_secs(60)).unwrap().is_clean());
        let _hold = application.hold();
        run(&application);
        drop(attached);
    });
}

#[test]
fn an_application_whose_reactor_has_stopped_in_a_loop_before_quits_when_it_is_run() {
    each_drive(|application, attach| {
        let reactor = Reactor::new().unwrap();
        let attached = attach.to(&reactor).unwrap();
        reactor.stop();
        while !reactor.is_stopped() {
            MainContext::default().iteration(true);
        }
        while MainContext::default().iteration(false) {}
        let _hold = application.hold();
        run(&application);
        drop(attached);
    });
}

#[test]
fn an_application_that_does_nothing_finishes_the_reactor_all_the_same() {
    each_drive(|application, attach| {
        let reactor = Reactor::new().unwrap();
        let _attached = attach.to(&reactor).unwrap();
        let said = goodbye(&reactor);
        run(&application);
        assert!(said.get() && reactor.is_stopped());
    });
}

#[test]
fn the_application_may_be_dropped_first() {
    each_drive(|application, attach| {
        let reactor = Reactor::new().unwrap();
        let attached = attach.to(&reactor).unwrap();
        let (said, weak) = (goodbye(&reactor), application.downgrade());
        drop(application);
        assert!(weak.upgrade().is_none(), "the adapter keeps the application");
        drop(attached);
        assert!(said.get() && reactor.is_stopped());
    });
}

#[test]
fn another_application_than_the_process_s_own_can_be_named() {
    let _global = global();
    let own = Application::new(None, ApplicationFlags::NON_UNIQUE);
    let other = Application::new(None, ApplicationFlags::NON_UNIQUE);
    assert_eq!(Application::default().as_ref(), Some(&own));
    other.connect_activate(|_| ());
    let reactor = Reactor::new().unwrap();
    let _attached = Attach::new().application(&other).to(&reactor).unwrap();
    reactor.stop();
    let _hold = other.hold();
    run(&other);
    assert!(reactor.is_stopped());
}
