//! A reactor that has been joined to a run loop.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use interloop::{Handle, Trigger};

use crate::run_loop::{Source, Termination, Watch};

/// How long the reactor may take to finish, unless told otherwise.
const FINISH_LIMIT: Duration = Duration::from_secs(10);

/// How an attached reactor is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Drive {
    /// The run loop watches the descriptor of the backend. There is no worker thread.
    Embedded,
    /// A worker thread waits, and signals a source of the run loop when there is something to do.
    Worker,
}

/// A reactor that has been joined to the run loop of this thread, from [`attach`](crate::attach).
///
/// Dropping it finishes the reactor and takes it out of the run loop. That belongs after the loop, and not into
/// a callback of the reactor, where finishing would wait for that callback: there it only lets go of
/// the loop. It may be dropped before or after the reactor.
#[must_use = "the reactor is finished and detached when this is dropped"]
pub struct Attached {
    joined: Rc<Joined>,
    drive: Drive,
    _termination: Option<Termination>,
}

/// What joins the run loop and the reactor.
pub(crate) enum Joint {
    Watch(Watch),
    /// The reactor has it too, in its waker.
    Source(Arc<Source>),
}

/// What the guard and the end of the application share.
struct Joined {
    reactor: Handle,
    limit: Cell<Duration>,
    joint: RefCell<Option<Joint>>,
    /// None when the run loop is to outlive the reactor.
    quit: RefCell<Option<Trigger>>,
}

impl Attached {
    pub(crate) fn new(reactor: &Handle, joint: Joint, quit: Trigger) -> Attached {
        let drive = match joint {
            Joint::Watch(_) => Drive::Embedded,
            Joint::Source(_) => Drive::Worker,
        };
        let joined = Rc::new(Joined {
            reactor: reactor.handle(),
            limit: Cell::new(FINISH_LIMIT),
            joint: RefCell::new(Some(joint)),
            quit: RefCell::new(Some(quit)),
        });
        let ending = Rc::clone(&joined);
        let termination = Termination::observe(move || ending.end());
        Attached { joined, drive, _termination: termination }
    }

    /// How the reactor is driven.
    pub fn drive(&self) -> Drive {
        self.drive
    }

    /// Gives the reactor `limit` to finish, when the application terminates or this is dropped. What is left
    /// then is cancelled, and reported. Ten seconds, unless told otherwise.
    pub fn finish_within(self, limit: Duration) -> Attached {
        self.joined.limit.set(limit);
        self
    }

    /// Leaves the run loop and the application running when the reactor has stopped.
    pub fn keep_running(self) -> Attached {
        self.joined.quit.take();
        self
    }
}

impl Joined {
    /// Finishes the reactor: the loop has ended already, and the next one of this thread is not to be stopped.
    fn end(&self) {
        let quit = self.quit.take();
        drop(quit);
        drop(self.reactor.finish_on_drop(self.limit.get()));
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.joined.end();
        match self.joined.joint.take() {
            Some(Joint::Watch(watch)) => drop(watch),
            // The reactor may be inside its waker, on another thread, and drop it later.
            Some(Joint::Source(source)) => source.remove(),
            None => {}
        }
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached")
            .field("reactor", &self.joined.reactor)
            .field("drive", &self.drive)
            .finish_non_exhaustive()
    }
}
