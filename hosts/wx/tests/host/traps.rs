//! What only wxWidgets can do wrong.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use futures_lite::future::yield_now;
use interloop::testing::{Host, Kit};
use interloop::{Phase, Reactor};
use interloop_wx::attach;
use interloop_wx_widgets as widgets;

use crate::wx::Wx;

/// Adds the cases, with windows or without.
pub fn add<const WINDOWS: bool>(kit: Kit) -> Kit {
    kit.case::<Wx<WINDOWS>>("attach_without_an_application_is_refused", without_an_application)
        .case::<Wx<WINDOWS>>("a_busy_reactor_leaves_the_loop_its_events", busy_reactor::<WINDOWS>)
        .case::<Wx<WINDOWS>>("a_program_that_is_never_idle_has_its_ticks", never_idle::<WINDOWS>)
        .case::<Wx<WINDOWS>>("a_stop_below_a_nested_loop_ends_both", stop_below::<WINDOWS>)
        .case::<Wx<WINDOWS>>("keep_running_keeps_the_loop_running", keep_running::<WINDOWS>)
        .case::<Wx<WINDOWS>>("detaching_in_the_loop_keeps_it_running", detaching::<WINDOWS>)
        .case::<Wx<WINDOWS>>("a_waker_is_let_go_inside_its_tick", let_go_inside::<WINDOWS>)
        .case::<Wx<WINDOWS>>("an_end_before_the_main_loop_ends_it", end_before::<WINDOWS>)
        .case::<Wx<WINDOWS>>("an_end_before_the_main_loop_needs_no_window", no_window::<WINDOWS>)
        .case::<Wx<WINDOWS>>(
            "a_guard_that_goes_before_the_main_loop_lets_it_run",
            gone_before::<WINDOWS>,
        )
        .case::<Wx<WINDOWS>>(
            "the_application_goes_before_it_was_ended",
            application_first::<WINDOWS>,
        )
}

fn without_an_application() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let refused = attach(&reactor).expect_err("it was attached");
    assert_eq!(refused.kind(), io::ErrorKind::NotConnected);
    // Nothing is left of it.
    let stop = reactor.handle();
    reactor.after(Duration::ZERO, move || stop.stop()).detach();
    reactor.run()
}

/// Events that are queued while events are processed are processed too, before anything else: a waker
/// that queues them never lets the loop go.
fn busy_reactor<const WINDOWS: bool>() -> io::Result<()> {
    let _host = Wx::<WINDOWS>::open()?;
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    let polls = Rc::new(Cell::new(0_u64));
    let counted = Rc::clone(&polls);
    let busy = async move {
        loop {
            counted.set(counted.get() + 1);
            yield_now().await;
        }
    };
    reactor.spawn_local(busy).detach();
    let frames = Rc::new(Cell::new(0));
    let counted = Rc::clone(&frames);
    widgets::every(Duration::from_millis(1), move || {
        counted.set(counted.get() + 1);
        if counted.get() == 100 {
            widgets::exit_main_loop();
        }
    });
    widgets::run();
    assert!(frames.get() >= 100 && polls.get() >= 100);
    Ok(())
}

/// It handles idle events, and asks for more of them.
fn never_idle<const WINDOWS: bool>() -> io::Result<()> {
    let _host = Wx::<WINDOWS>::open()?;
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    widgets::idle_busily();
    let remote = reactor.remote();
    let caller = thread::spawn(move || {
        for _ in 0..100 {
            remote.call_blocking(|| ()).expect("it runs");
        }
        remote.stop();
    });
    widgets::run();
    assert!(reactor.is_stopped());
    caller.join().expect("it does not panic");
    Ok(())
}

/// `ExitMainLoop` does nothing while another loop runs on top.
fn stop_below<const WINDOWS: bool>() -> io::Result<()> {
    let host = Wx::<WINDOWS>::open()?;
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    let left = Rc::new(RefCell::new(Vec::new()));
    let (nested, after) = (Rc::clone(&left), Rc::clone(&left));
    reactor.on_shutdown(Phase::After, async move { after.borrow_mut().push("After") })?.detach();
    let (handle, opened) = (reactor.handle(), Rc::clone(&host));
    let callback = move || {
        let stopped = handle.clone();
        handle.stop();
        let done = move || stopped.is_stopped();
        opened.nested(Rc::new(done)).expect("it has nested loops");
        nested.borrow_mut().push("the nested loop");
    };
    widgets::call_after(callback);
    widgets::run();
    assert_eq!(*left.borrow(), ["After", "the nested loop"]);
    Ok(())
}

fn keep_running<const WINDOWS: bool>() -> io::Result<()> {
    let _host = Wx::<WINDOWS>::open()?;
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?.keep_running();
    reactor.stop();
    let handle = reactor.handle();
    let frames = count_frames(move || handle.is_stopped());
    widgets::run();
    assert_eq!(frames.get(), 10);
    Ok(())
}

/// Whoever drops the guard by himself finishes the reactor, and goes on.
fn detaching<const WINDOWS: bool>() -> io::Result<()> {
    let _host = Wx::<WINDOWS>::open()?;
    let reactor = Reactor::new()?;
    let attached = Cell::new(Some(attach(&reactor)?));
    let handle = reactor.handle();
    let frames = count_frames(move || {
        drop(attached.take());
        handle.is_stopped()
    });
    widgets::run();
    assert_eq!(frames.get(), 10);
    Ok(())
}

/// Counts frames for which `counts` answers true, and exits the main loop at the tenth.
fn count_frames(counts: impl Fn() -> bool + 'static) -> Rc<Cell<u32>> {
    let frames = Rc::new(Cell::new(0));
    let counted = Rc::clone(&frames);
    widgets::every(Duration::from_millis(1), move || {
        if counts() && counted.get() < 10 {
            counted.set(counted.get() + 1);
            if counted.get() == 10 {
                widgets::exit_main_loop();
            }
        }
    });
    frames
}

/// The object that gets the tick is down the stack when nobody wants it any more.
fn let_go_inside<const WINDOWS: bool>() -> io::Result<()> {
    const SWAPS: u64 = 1_000;
    let _host = Wx::<WINDOWS>::open()?;
    let reactor = Reactor::new()?;
    let proxy = reactor.interleave(interloop_wx::waker()?)?;
    let handle = reactor.handle();
    let swaps = async move {
        for _ in 0..SWAPS {
            let waker = interloop_wx::waker().expect("there is an application");
            proxy.swap(waker).expect("it is not called from inside the waker");
            handle.sleep(Duration::ZERO).await;
        }
        widgets::exit_main_loop();
    };
    reactor.spawn_local(swaps).detach();
    widgets::run();
    assert!(reactor.finish(Duration::from_secs(10))?.is_clean());
    Ok(())
}

/// As a modal dialog in `OnInit`, in which the shutdown completes.
fn end_before<const WINDOWS: bool>() -> io::Result<()> {
    let host = Wx::<WINDOWS>::open()?;
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    stop_in_a_nested_loop(&reactor, |done| host.nested(done))?;
    widgets::run();
    Ok(())
}

/// No event of a window's comes to wake the main loop.
fn no_window<const WINDOWS: bool>() -> io::Result<()> {
    let _application = Wx::<WINDOWS>::application()?;
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    stop_in_a_nested_loop(&reactor, |done| {
        // As the last thing that happens before the loop is idle.
        widgets::nested_loop(move || {
            if done() {
                widgets::call_after(widgets::exit_active_loop);
            }
            true
        });
        Ok(())
    })?;
    widgets::run();
    Ok(())
}

/// Nothing of it is left in the application, and `keep_running` comes in time.
fn gone_before<const WINDOWS: bool>() -> io::Result<()> {
    let host = Wx::<WINDOWS>::open()?;
    let (first, second) = (Reactor::new()?, Reactor::new()?);
    let (goes, stays) = (attach(&first)?, attach(&second)?);
    for reactor in [&first, &second] {
        stop_in_a_nested_loop(reactor, |done| host.nested(done))?;
    }
    drop(goes);
    let _stays = stays.keep_running();
    let frames = count_frames(|| true);
    widgets::run();
    assert_eq!(frames.get(), 10);
    Ok(())
}

/// The program runs no main loop after all.
fn application_first<const WINDOWS: bool>() -> io::Result<()> {
    let host = Wx::<WINDOWS>::open()?;
    let reactor = Reactor::new()?;
    let attached = attach(&reactor)?;
    stop_in_a_nested_loop(&reactor, |done| host.nested(done))?;
    host.destroy();
    drop(attached);
    Ok(())
}

fn stop_in_a_nested_loop(
    reactor: &Reactor,
    nested: impl FnOnce(Rc<dyn Fn() -> bool>) -> io::Result<()>,
) -> io::Result<()> {
    reactor.stop();
    let handle = reactor.handle();
    // A few looks later, so that what is done once in the nested loop is not left for the main loop.
    let looks = Cell::new(0);
    nested(Rc::new(move || {
        looks.set(looks.get() + u32::from(handle.is_stopped()));
        looks.get() > 20
    }))?;
    assert!(reactor.is_stopped());
    Ok(())
}
