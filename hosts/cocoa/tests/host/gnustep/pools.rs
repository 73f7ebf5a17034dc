//! What callbacks autorelease.

use std::cell::Cell;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Kit;
use interloop_cocoa::{Attach, Drive};

use super::host::{DEFAULT, Gnustep as Loop};
use super::raw::{self, Counted};

const TURNS: usize = 10;

pub fn cases(kit: Kit) -> Kit {
    kit.case::<Loop<false>>("what_a_turn_autoreleases_goes_with_it", || goes(Drive::Worker))
        .case::<Loop<true>>("what_a_turn_autoreleases_goes_with_it", || goes(Drive::Embedded))
}

fn goes(drive: Drive) -> io::Result<()> {
    let counted = Counted::new();
    let reactor = Reactor::new()?;
    let attached = Attach::new().drive(drive).to(&reactor)?;
    let turns = Rc::new(Cell::new(0));
    let count = Rc::clone(&turns);
    let tick = move || {
        // Those of the turns before have gone, and this one's has not yet come.
        assert_eq!(raw::gone(), count.get());
        counted.autorelease();
        count.set(count.get() + 1);
        ControlFlow::Continue(())
    };
    reactor.every(Duration::from_millis(1), tick).detach();
    raw::with_pool(|| {
        while turns.get() < TURNS {
            raw::run_in(DEFAULT, Duration::from_millis(10));
        }
    });
    drop(attached);
    Ok(())
}
