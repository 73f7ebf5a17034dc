//! Runs of the loop that end with the reactor, and runs that do not.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Kit;
use interloop_cocoa::{Attach, Drive};

use super::host::CoreFoundation as Loop;
use super::raw::{self, Timer};

pub fn cases(kit: Kit) -> Kit {
    kit.case::<Loop<false>>("stop_ends_every_run_it_is_in", || nested(Drive::Worker))
        .case::<Loop<true>>("stop_ends_every_run_it_is_in", || nested(Drive::Embedded))
        .case::<Loop<false>>("keep_running_leaves_the_loop_alone", keep_running)
        .case::<Loop<false>>("the_end_of_the_guard_stops_no_later_run", no_stale_stop)
}

/// A callback runs the loop, and in there the reactor stops.
fn nested(drive: Drive) -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = Attach::new().drive(drive).to(&reactor)?;
    let returned = Rc::new(Cell::new(0));
    let count = Rc::clone(&returned);
    let handle = reactor.handle();
    let opener = move || {
        handle.stop();
        raw::run();
        count.set(count.get() + 1);
    };
    reactor.after(Duration::ZERO, opener).detach();
    raw::run();
    assert_eq!(returned.get(), 1);
    drop(attached);
    assert!(reactor.is_stopped());
    Ok(())
}

fn keep_running() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = Attach::new().to(&reactor)?.keep_running();
    let handle = reactor.handle();
    reactor.stop();
    let ticks = Rc::new(Cell::new(0));
    let count = Rc::clone(&ticks);
    let tick = move || {
        count.set(count.get() + u32::from(handle.is_stopped()));
        if count.get() == 3 {
            raw::stop();
        }
    };
    let _timer = Timer::every(Duration::from_millis(1), Box::new(tick));
    raw::run();
    assert_eq!(ticks.get(), 3, "the loop was stopped");
    drop(attached);
    Ok(())
}

fn no_stale_stop() -> io::Result<()> {
    let reactor = Reactor::new()?;
    drop(Attach::new().to(&reactor)?);
    assert!(reactor.is_stopped());
    let ticks = Rc::new(Cell::new(0));
    let count = Rc::clone(&ticks);
    let tick = move || {
        count.set(count.get() + 1);
        if count.get() == 3 {
            raw::stop();
        }
    };
    let _timer = Timer::every(Duration::from_millis(1), Box::new(tick));
    raw::run();
    assert_eq!(ticks.get(), 3, "the loop was stopped");
    Ok(())
}
