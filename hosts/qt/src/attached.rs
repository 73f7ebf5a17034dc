//! A reactor that has been joined to the application.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::{Embedded, Handle, Phase, Tick, Trigger, WakerProxy};

use crate::shim::{self, Guest, Joint, Quitter};
use crate::waker;

/// How long the reactor may take to finish, unless told otherwise.
const FINISH_LIMIT: Duration = Duration::from_secs(10);

/// How an attached reactor is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Drive {
    /// Qt watches the descriptor of the backend. There is no worker thread.
    Embedded,
    /// A worker thread waits, and posts an event to Qt when there is something to do.
    Worker,
}

/// A reactor that has been joined to the application, from [`attach`].
///
/// Dropping it finishes the reactor and takes it out of Qt's loop. That belongs after the loop, and not
/// into a callback of the reactor, where finishing would wait for that callback: there it is only taken out of
/// the loop. It may be dropped before or after the application, and before or after the reactor.
#[must_use = "the reactor is finished and detached when this is dropped"]
pub struct Attached {
    // Ends the watch, and so before the descriptor goes.
    _joint: Joint<Joined>,
    _at_the_end: Trigger,
    /// Of the worker's waker, where there is one.
    proxy: Option<WakerProxy>,
    joined: Rc<Joined>,
}

struct Joined {
    handle: Handle,
    embedded: Option<Embedded>,
    limit: Cell<Duration>,
    quits_qt: Cell<bool>,
    /// From the end of the reactor to that of the application's loop.
    quitter: Cell<Option<Quitter>>,
}

/// Joins the reactor to the QCoreApplication of this thread, which is there or will be.
///
/// Qt watches the reactor's descriptor where the backend has one; otherwise a worker thread waits. Either
/// goes on in nested loops, such as `exec()` of a dialog. What is posted before the loop runs is delivered
/// when it does. When the application is about to quit, after its loop, the reactor finishes. When
/// the reactor has stopped, after [`stop`](Handle::stop), the application is told to quit, and where its own
/// loop does not run yet, told again until it does. Qt 6 closes its windows then, and a window that refuses
/// keeps it running.
///
/// # Errors
///
/// `InvalidInput` when the application lives on another thread; `AlreadyExists` when something drives the
/// reactor already; `NotConnected` when it has stopped or is past its `During` phase; what the operating system
/// said when it refused a thread or a descriptor.
pub fn attach(handle: &Handle) -> io::Result<Attached> {
    if shim::is_application_elsewhere() {
        let message = "attach() on a thread that is not that of the QCoreApplication: attach a reactor \
                       that was made there";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let embedded = match handle.embed() {
        Ok(embedded) if shim::polls_by_number() => Some(embedded.polled_by_number()),
        Ok(embedded) => Some(embedded),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => None,
        Err(error) => return Err(error),
    };
    let joined = Rc::new(Joined {
        handle: handle.clone(),
        embedded,
        limit: Cell::new(FINISH_LIMIT),
        quits_qt: Cell::new(true),
        quitter: Cell::new(None),
    });
    let weak = Rc::downgrade(&joined);
    let end = async move {
        if let Some(joined) = weak.upgrade() {
            joined.quit_qt();
        }
    };
    let at_the_end = handle.on_shutdown(Phase::After, end)?.label("quit Qt");
    let proxy = match joined.embedded {
        Some(_) => None,
        None => Some(handle.interleave(waker())?),
    };
    let joint = Joint::new(joined.embedded.as_ref(), Rc::clone(&joined));
    Ok(Attached { _joint: joint, _at_the_end: at_the_end, proxy, joined })
}

impl Attached {
    /// How the reactor is driven.
    pub fn drive(&self) -> Drive {
        if self.joined.embedded.is_some() { Drive::Embedded } else { Drive::Worker }
    }

    /// Gives the reactor `limit` to finish, when the application quits or this is dropped. What is left then
    /// is cancelled, and reported. Ten seconds, unless told otherwise.
    pub fn finish_within(self, limit: Duration) -> Attached {
        self.joined.limit.set(limit);
        self
    }

    /// Leaves the application running when the reactor has stopped.
    pub fn keep_running(self) -> Attached {
        self.joined.quits_qt.set(false);
        drop(self.joined.quitter.take());
        self
    }
}

impl Joined {
    /// Finishes the reactor on behalf of Qt, which is not told to quit.
    fn finish(&self) {
        self.quits_qt.set(false);
        drop(self.handle.finish_on_drop(self.limit.get()));
        drop(self.quitter.take());
    }

    /// The reactor has stopped.
    fn quit_qt(&self) {
        if !self.quits_qt.get() {
            return;
        }
        let quitter = Quitter::new();
        // A window that was closed may have dropped the guard.
        if self.quits_qt.get() {
            self.quitter.set(Some(quitter));
        }
    }
}

impl Guest for Joined {
    fn is_readable(&self) -> bool {
        self.embedded.as_ref().is_some_and(Embedded::turn)
    }

    fn quits(&self) {
        self.finish();
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.joined.finish();
        if let Some(proxy) = &self.proxy {
            // Where it could not finish, its ticks go with the waker. One that has stopped has none any more.
            proxy.hold();
            let _stopped = proxy.swap(Tick::detach);
        }
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").field("drive", &self.drive()).finish_non_exhaustive()
    }
}
