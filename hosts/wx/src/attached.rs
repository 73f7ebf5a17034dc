//! A reactor that has been joined to the application.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::{Handle, Phase, Tick, Trigger, WakerProxy};

use crate::relay::{Ending, exit_main_loop, waker};

/// How long the reactor may take to finish, unless told otherwise.
const FINISH_LIMIT: Duration = Duration::from_secs(10);

/// A reactor that has been joined to the application, from [`attach`].
///
/// Dropping it finishes the reactor and takes it out of the loop. That belongs after the loop, as in the
/// `OnExit` of the application, and not into a callback of the reactor, where finishing would wait for that
/// callback: there it is only taken out of the loop. It may be dropped before or after the application, and before or after the reactor.
#[must_use = "the reactor is finished and detached when this is dropped"]
pub struct Attached {
    handle: Handle,
    proxy: WakerProxy,
    limit: Duration,
    exit: Rc<Exit>,
    _at_the_end: Trigger,
}

/// The exit of the main loop, behind the end of the reactor.
struct Exit {
    wanted: Cell<bool>,
    /// It waits for the main loop.
    ending: RefCell<Option<Ending>>,
}

impl Exit {
    fn begin(&self) {
        if self.wanted.get() {
            self.ending.replace(exit_main_loop());
        }
    }

    fn cancel(&self) {
        self.wanted.set(false);
        self.ending.take();
    }
}

/// How an attached reactor is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Drive {
    /// A worker thread waits, and wakes the loop when there is something to do.
    Worker,
}

/// Joins the reactor to the application, which has to be there: call it in `OnInit` or later, on the main
/// thread.
///
/// A worker thread waits for the reactor. What it finds is delivered in the main loop, and in those of modal
/// dialogs. What is posted before the loop runs is delivered when it does. When the reactor has stopped,
/// after [`stop`](Handle::stop), the main loop ends; where a modal dialog is open, when that has been
/// closed; where it does not run yet, as after a modal dialog in `OnInit`, when it does.
///
/// # Errors
///
/// `NotConnected` where there is no application, this is not its main thread, or the reactor has stopped or is
/// past its `During` phase; `AlreadyExists` when something drives the reactor already; what the operating
/// system said when it refused a thread or a descriptor.
pub fn attach(handle: &Handle) -> io::Result<Attached> {
    let exit = Rc::new(Exit { wanted: Cell::new(true), ending: RefCell::default() });
    let end = Rc::clone(&exit);
    let at_the_end =
        handle.on_shutdown(Phase::After, async move { end.begin() })?.label("exit the main loop");
    let proxy = handle.interleave(waker()?)?;
    let handle = handle.clone();
    Ok(Attached { handle, proxy, limit: FINISH_LIMIT, exit, _at_the_end: at_the_end })
}

impl Attached {
    /// How the reactor is driven.
    pub fn drive(&self) -> Drive {
        Drive::Worker
    }

    /// Gives the reactor `limit` to finish, when this is dropped. What is left then is cancelled, and
    /// reported. Ten seconds, unless told otherwise.
    pub fn finish_within(mut self, limit: Duration) -> Attached {
        self.limit = limit;
        self
    }

    /// Leaves the main loop running when the reactor has stopped.
    pub fn keep_running(self) -> Attached {
        self.exit.cancel();
        self
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // Whoever takes the reactor out of a loop that runs goes on with it.
        self.exit.cancel();
        drop(self.handle.finish_on_drop(self.limit));
        // Where it could not finish, its ticks go with the waker. One that has stopped has none any more.
        self.proxy.hold();
        let _stopped = self.proxy.swap(Tick::detach);
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").field("drive", &self.drive()).finish_non_exhaustive()
    }
}
