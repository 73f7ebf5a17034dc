//! What is let go of in a loop that its own callback has opened: the object of Qt's is down the stack, and has to
//! be there until that callback has returned.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use interloop::testing::{Host, Kit};
use interloop::{Phase, Reactor};
use interloop_qt::attach;
use interloop_qt_widgets::{self as widgets, Application, witness};

/// Adds the cases, in the environment of this host.
pub fn add<H: Host>(kit: Kit) -> Kit {
    kit.case::<H>("a_guard_is_dropped_in_a_nested_loop", a_guard_is_dropped_in_a_nested_loop)
        .case::<H>("a_reactor_stops_in_a_nested_loop", a_reactor_stops_in_a_nested_loop)
        .case::<H>("a_waker_is_swapped_from_a_thread_in_a_nested_loop", a_waker_is_swapped)
        .case::<H>("a_guard_is_dropped_while_the_application_quits", dropped_in_about_to_quit)
}

/// Goes through a loop some times once `ended` says so: what it is to delete is deleted.
fn nested_until(ended: impl Fn() -> bool + 'static) {
    let mut rounds = 0;
    widgets::nested_loop(move || {
        rounds += u32::from(ended());
        rounds < 10
    });
}

/// Runs the loop of the application until the objects of the adapter that were seen are destroyed.
fn exec_until_none_is_alive() {
    widgets::every(Duration::from_millis(1), || {
        if witness::alive() == 0 {
            widgets::quit();
        }
    });
    widgets::exec();
    assert_eq!(witness::alive(), 0, "something has quit too early");
}

fn a_guard_is_dropped_in_a_nested_loop() -> io::Result<()> {
    let application = Application::core();
    witness::install(&application);
    let reactor = Reactor::new()?;
    let attached = attach(&reactor)?;
    let returned = Rc::new(Cell::new(false));
    let returning = Rc::clone(&returned);
    reactor
        .after(Duration::from_millis(1), move || {
            let called = witness::alive();
            assert!(called > 0, "nothing of the adapter's was called");
            let attached = Cell::new(Some(attached));
            nested_until(move || {
                drop(attached.take());
                true
            });
            assert_eq!(witness::alive(), called, "it is deleted below its own frame");
            returning.set(true);
            widgets::post(widgets::quit);
        })
        .detach();
    widgets::exec();
    assert!(returned.get());
    // The reactor, which could not finish there, is out of the loop all the same.
    let ran = Arc::new(AtomicBool::new(false));
    let running = Arc::clone(&ran);
    reactor.remote().call(move || running.store(true, Ordering::Relaxed)).expect("it lives");
    exec_until_none_is_alive();
    assert!(!ran.load(Ordering::Relaxed));
    assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
    assert!(ran.load(Ordering::Relaxed));
    Ok(())
}

/// By nested turns, with the guard there.
fn a_reactor_stops_in_a_nested_loop() -> io::Result<()> {
    let application = Application::core();
    witness::install(&application);
    let reactor = Reactor::new()?;
    let attached = attach(&reactor)?.keep_running();
    let (handle, returned) = (reactor.handle(), Rc::new(Cell::new(false)));
    let returning = Rc::clone(&returned);
    reactor
        .after(Duration::from_millis(1), move || {
            let called = witness::alive();
            assert!(called > 0, "nothing of the adapter's was called");
            let remote = handle.remote();
            let stopping = thread::spawn(move || remote.stop());
            nested_until(move || handle.is_stopped());
            stopping.join().expect("it does not panic");
            assert_eq!(witness::alive(), called, "it is deleted below its own frame");
            returning.set(true);
            widgets::post(widgets::quit);
        })
        .detach();
    widgets::exec();
    assert!(returned.get());
    drop(attached);
    exec_until_none_is_alive();
    Ok(())
}

/// By another thread, which has no say in when the object is called.
fn a_waker_is_swapped() -> io::Result<()> {
    let application = Application::core();
    witness::install(&application);
    let reactor = Reactor::new()?;
    let proxy = reactor.interleave(interloop_qt::waker())?;
    let returned = Rc::new(Cell::new(false));
    let returning = Rc::clone(&returned);
    reactor
        .after(Duration::from_millis(1), move || {
            assert_eq!(witness::alive(), 1);
            let swapping = thread::spawn(move || proxy.swap(interloop::Tick::detach));
            nested_until(move || swapping.is_finished());
            assert_eq!(witness::alive(), 1, "it is deleted below its own frame");
            returning.set(true);
            widgets::post(widgets::quit);
        })
        .detach();
    widgets::exec();
    assert!(returned.get());
    exec_until_none_is_alive();
    assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
    Ok(())
}

/// After the loop, and the last of the reactor's callbacks opens another one.
fn dropped_in_about_to_quit() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = attach(&reactor)?;
    // What was attached before the application is told of it by an event.
    let application = Application::core();
    witness::install(&application);
    let said = Rc::new(Cell::new(false));
    let saying = Rc::clone(&said);
    let goodbye = async move {
        assert_eq!(witness::alive(), 1);
        drop(attached);
        nested_until(|| true);
        assert_eq!(witness::alive(), 1, "it is deleted below its own frame");
        saying.set(true);
    };
    reactor.on_shutdown(Phase::Before, goodbye)?.detach();
    // Without a tick: what receives those is another's to let go of, and not in a frame.
    widgets::post(widgets::quit);
    widgets::exec();
    assert!(said.get());
    drop(reactor);
    exec_until_none_is_alive();
    Ok(())
}
