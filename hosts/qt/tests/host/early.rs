//! A reactor that has stopped before the loop of the application runs, which does not hear a quit then.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::{Host, Kit, inapplicable};
use interloop_qt::attach;
use interloop_qt_widgets::{self as widgets, Application, refusal};

/// Adds the cases, in the environment of this host.
pub fn add<H: Host>(kit: Kit) -> Kit {
    kit.case::<H>("stopped_in_a_loop_before_the_loop", stopped_in_a_loop_before_the_loop)
        .case::<H>("finished_before_the_loop", finished_before_the_loop)
        .case::<H>("finished_before_the_application", finished_before_the_application)
        .case::<H>("stopped_before_the_loop_and_kept_running", stopped_and_kept_running)
        .case::<H>("a_guard_that_is_dropped_before_the_loop_quits_nothing", dropped_before_the_loop)
        .case::<H>("an_application_that_refuses_to_quit_is_asked_once", refused)
}

/// Stops the reactor in a loop of its own, as that of a login dialog.
fn stop_in_a_loop(reactor: &Reactor) {
    let handle = reactor.handle();
    handle.stop();
    widgets::nested_loop(move || !handle.is_stopped());
    assert!(reactor.is_stopped());
}

/// Runs the loop of the application for some frames, in which nothing else may quit it.
fn exec_for_frames() {
    const FRAMES: u32 = 100;
    let frames = Rc::new(Cell::new(0));
    let counted = Rc::clone(&frames);
    widgets::every(Duration::from_millis(1), move || {
        counted.set(counted.get() + 1);
        if counted.get() == FRAMES {
            refusal::exit();
        }
    });
    widgets::exec();
    assert_eq!(frames.get(), FRAMES, "something has quit");
}

fn stopped_in_a_loop_before_the_loop() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    stop_in_a_loop(&reactor);
    widgets::exec();
    Ok(())
}

fn finished_before_the_loop() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
    widgets::exec();
    Ok(())
}

fn finished_before_the_application() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
    let _application = Application::core();
    widgets::exec();
    Ok(())
}

fn stopped_and_kept_running() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?.keep_running();
    stop_in_a_loop(&reactor);
    exec_for_frames();
    Ok(())
}

fn dropped_before_the_loop() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let attached = attach(&reactor)?;
    stop_in_a_loop(&reactor);
    drop(attached);
    exec_for_frames();
    Ok(())
}

/// Its user would have to answer again and again.
fn refused() -> io::Result<()> {
    if widgets::version().starts_with('5') {
        return Err(inapplicable("Qt 5 quits without asking"));
    }
    let application = Application::core();
    refusal::install(&application);
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    stop_in_a_loop(&reactor);
    assert_eq!(refusal::refused(), 0);
    exec_for_frames();
    assert_eq!(refusal::refused(), 1);
    Ok(())
}
