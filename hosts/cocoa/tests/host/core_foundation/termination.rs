//! `-[NSApplication terminate:]`, by what the application says before it ends the process.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use interloop::testing::Kit;
use interloop::{Phase, Reactor};
use interloop_cocoa::Attach;

use super::host::CoreFoundation as Loop;
use super::raw;

pub fn cases(kit: Kit) -> Kit {
    kit.case::<Loop<false>>("termination_finishes_a_reactor_that_owns_its_guard", owns_its_guard)
}

/// The guard goes inside the call that the application makes by it.
fn owns_its_guard() -> io::Result<()> {
    let reactor = Reactor::new()?;
    let owner = Rc::new(Cell::new(None));
    let guard = Rc::clone(&owner);
    reactor.on_shutdown(Phase::During, async move { drop(guard.take()) })?.detach();
    owner.set(Some(Attach::new().to(&reactor)?));
    raw::post("NSApplicationWillTerminateNotification");
    assert!(owner.take().is_none() && reactor.is_stopped());
    Ok(())
}
