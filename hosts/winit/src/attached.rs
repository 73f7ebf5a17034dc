//! Joining a reactor to the loop.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use interloop::{Handle, Phase, Trigger, WakerProxy};
use winit::event_loop::EventLoopProxy;

use crate::guests::{self, Guest, Ticked};

/// How long a reactor may take to finish, unless told otherwise.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

/// Joins a reactor to the event loop of `proxy`, whose application is a [`Host`](crate::Host). Before the loop
/// runs, or in a callback of it; on the thread of both.
///
/// `wake` makes an event that means nothing to the application, for winit wakes a loop with an event or
/// not at all: `|| ()` where events have no type of their own. The application may see it, too.
///
/// What was posted to the reactor before comes when the loop runs. When the loop exits, the reactor finishes,
/// with I/O alive, before the application's own
/// [`exiting`](winit::application::ApplicationHandler::exiting); when the reactor is
/// [stopped](Handle::stop), the loop exits after the `After` triggers.
///
/// # Errors
///
/// As [`Handle::interleave`].
pub fn attach<T: Send + 'static>(
    reactor: &Handle,
    proxy: EventLoopProxy<T>,
    wake: impl Fn() -> T + Send + Sync + 'static,
) -> io::Result<Attached> {
    let ticked = Arc::new(Ticked::default());
    let guest = Rc::new(Guest {
        handle: reactor.handle(),
        ticked: Arc::clone(&ticked),
        timeout: Cell::new(FINISH_WITHIN),
        exit: Cell::new(false),
    });
    let exiting = Rc::clone(&guest);
    let exit = reactor.on_shutdown(Phase::After, async move { exiting.exit.set(true) })?;
    let proxy = reactor.interleave(move |tick| {
        // Counted first: the loop may look as soon as the event is there.
        ticked.add();
        // To a loop that is gone the tick is a failed post, and is dropped.
        if proxy.send_event(wake()).is_ok() {
            tick.detach();
        }
    })?;
    guests::enter(&guest);
    Ok(Attached { guest, proxy, exit: Some(exit.label("exit winit's event loop")) })
}

/// How an attached reactor is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Drive {
    /// A worker thread waits, and sends an event to the loop when there is something to do.
    Worker,
}

/// A reactor that is joined to winit's event loop, from [`attach`].
///
/// Dropping it finishes the reactor, if the loop has not done so when it exited, and detaches it. It, the
/// reactor and the event loop may go in any order.
#[must_use = "the reactor is detached when this is dropped"]
pub struct Attached {
    guest: Rc<Guest>,
    proxy: WakerProxy,
    /// None when the loop is to outlive the reactor.
    exit: Option<Trigger>,
}

impl Attached {
    /// How the reactor is driven.
    pub fn drive(&self) -> Drive {
        Drive::Worker
    }

    /// Gives the reactor another time than 10 s to finish in. What has not ended by then is cancelled and
    /// reported.
    pub fn finish_within(self, timeout: Duration) -> Attached {
        self.guest.timeout.set(timeout);
        self
    }

    /// Lets the loop go on when the reactor has stopped.
    pub fn keep_running(mut self) -> Attached {
        self.exit = None;
        self.guest.exit.set(false);
        self
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // First, as a callback's panic may come out of the end: the loop has none of a guest that is gone.
        guests::leave(&self.guest);
        // Where it cannot finish, in a panic or inside one of its own callbacks, it is at least silent.
        self.proxy.hold();
        self.guest.finish();
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").field("reactor", &self.guest.handle).finish_non_exhaustive()
    }
}
