//! Modes of the run loop: those that the reactor was told, and others.

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use interloop::testing::Kit;
use interloop::{Handle, Reactor};
use interloop_cocoa::{Attach, Drive, Modes};

use crate::run_loop::raw::run_in;
use crate::run_loop::{DEFAULT, Loop};

const OURS: &str = "OursRunLoopMode";
const OTHER: &str = "OtherRunLoopMode";
/// How long one run of the loop lasts.
const RUN: Duration = Duration::from_millis(10);
/// How many ticks show that a reactor is served.
const TICKS: u32 = 10;

pub fn cases(kit: Kit) -> Kit {
    kit.case::<Loop<false>>("is_served_in_the_modes_it_was_told", || served(Drive::Worker))
        .case::<Loop<true>>("is_served_in_the_modes_it_was_told", || served(Drive::Embedded))
        .case::<Loop<false>>("rests_in_other_modes", || rests(Drive::Worker))
        .case::<Loop<true>>("rests_in_other_modes", || rests(Drive::Embedded))
        .case::<Loop<false>>("a_callback_that_tracks_lets_others_run", || tracks(Drive::Worker))
        .case::<Loop<true>>("a_callback_that_tracks_lets_others_run", || tracks(Drive::Embedded))
        .case::<Loop<false>>("a_mode_with_a_zero_in_its_name_is_refused", zero)
}

fn modes() -> Modes {
    Modes::only(DEFAULT).and(OURS)
}

/// Counts, again and again.
fn count(reactor: &Handle) -> Rc<Cell<u32>> {
    let count = Rc::new(Cell::new(0));
    let ticks = Rc::clone(&count);
    let tick = move || {
        ticks.set(ticks.get() + 1);
        ControlFlow::Continue(())
    };
    reactor.every(Duration::from_millis(1), tick).detach();
    count
}

fn served(drive: Drive) -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = Attach::new().modes(modes()).drive(drive).to(&reactor)?;
    assert_eq!(attached.drive(), drive);
    let ticks = count(&reactor);
    for mode in [DEFAULT, OURS, DEFAULT] {
        let enough = ticks.get() + TICKS;
        while ticks.get() < enough {
            run_in(mode, RUN);
        }
    }
    drop(attached);
    Ok(())
}

fn rests(drive: Drive) -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = Attach::new().modes(modes()).drive(drive).to(&reactor)?;
    // What keeps a run in the other mode from ending at once, and is served there.
    let other = Reactor::new()?;
    let beside = Attach::new().modes(Modes::only(OTHER)).to(&other)?;
    let (ticks, others) = (count(&reactor), count(&other));
    while others.get() < TICKS {
        run_in(OTHER, RUN);
    }
    assert_eq!(ticks.get(), 0, "it was served in a mode that is not among its own");
    while ticks.get() < TICKS {
        run_in(DEFAULT, RUN);
    }
    drop((attached, beside));
    Ok(())
}

/// A callback that runs the loop in another of the modes, as one does that tracks the mouse.
fn tracks(drive: Drive) -> io::Result<()> {
    let reactor = Reactor::new()?;
    let attached = Attach::new().modes(modes()).drive(drive).to(&reactor)?;
    let ticks = count(&reactor);
    let (seen, done) = (Rc::clone(&ticks), Rc::new(Cell::new(false)));
    let over = Rc::clone(&done);
    let tracker = move || {
        let enough = seen.get() + TICKS;
        while seen.get() < enough {
            run_in(OURS, RUN);
        }
        over.set(true);
    };
    reactor.after(Duration::from_millis(5), tracker).detach();
    while !done.get() {
        run_in(DEFAULT, RUN);
    }
    drop(attached);
    Ok(())
}

fn zero() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let modes = || Modes::only("a\0b");
    for drive in [Drive::Worker, Drive::Embedded] {
        let refused = Attach::new().modes(modes()).drive(drive).to(&reactor);
        let error = refused.expect_err("there is no such mode");
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
    // It is as if nothing had happened.
    drop(Attach::new().to(&reactor)?);
    assert!(reactor.is_stopped());
    Ok(())
}
