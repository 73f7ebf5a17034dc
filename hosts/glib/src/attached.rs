//! A reactor that is joined to a main context.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

use gio::prelude::*;
use glib::{SignalHandlerId, WeakRef};
use interloop::{Handle, Tick, Trigger, WakerProxy};

use crate::context::Owned;
use crate::quit::Quit;
use crate::watch::Watch;

/// How long the reactor may take to finish, unless told otherwise.
const LIMIT: Duration = Duration::from_secs(10);

/// Which way a reactor is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Drive {
    /// The main context watches the reactor's own descriptor, and there is no worker.
    Embedded,
    /// A worker waits, and wakes the main context.
    Worker,
}

/// A reactor that is joined to a main context, from [`attach`](crate::attach).
///
/// When the application that runs the context shuts down, and at the latest when this is dropped, the
/// reactor is finished: `Before` triggers run to their end, with I/O, timers and tasks at work, for up to
/// ten seconds. What they had to abandon is reported. Then nothing of the reactor is left in the context.
///
/// Drop it after the loop, before or after the reactor. Inside a callback of the reactor nothing can be
/// finished: what is dropped there only lets go of the context.
#[must_use = "the reactor is finished and detached when this is dropped"]
pub struct Attached {
    joined: Rc<Joined>,
    drive: Drive,
    application: Option<(WeakRef<gio::Application>, SignalHandlerId)>,
    /// None when the loop is to outlive the reactor.
    at_the_end: Option<Trigger>,
    _context: Owned,
}

/// What the guard and the application's signal share.
struct Joined {
    handle: Handle,
    limit: Cell<Duration>,
    /// None when the context was let go of.
    driven: RefCell<Option<Driven>>,
    quit: Option<Rc<Quit>>,
}

/// What a reactor is driven by.
pub(crate) enum Driven {
    Embedded(Watch),
    Worker(WakerProxy),
}

impl Attached {
    /// Guards what drives `handle`, until the application's shutdown, if there is one, or until it is
    /// dropped.
    pub(crate) fn new(
        handle: &Handle,
        context: Owned,
        driven: Driven,
        quit: Option<Rc<Quit>>,
        at_the_end: Option<Trigger>,
        application: Option<gio::Application>,
    ) -> Attached {
        let drive = match driven {
            Driven::Embedded(_) => Drive::Embedded,
            Driven::Worker(_) => Drive::Worker,
        };
        let (handle, limit, driven) =
            (handle.clone(), Cell::new(LIMIT), RefCell::new(Some(driven)));
        let joined = Rc::new(Joined { handle, limit, driven, quit });
        let application = application.map(|application| {
            // GTK's own shutdown comes after this: what the triggers touch is there yet.
            let joined = Rc::clone(&joined);
            let signal = application.connect_shutdown(move |_| joined.end());
            (application.downgrade(), signal)
        });
        Attached { joined, drive, application, at_the_end, _context: context }
    }

    /// Which way the reactor is driven.
    pub fn drive(&self) -> Drive {
        self.drive
    }

    /// Has the reactor finish within `limit`, in the place of ten seconds.
    pub fn finish_within(self, limit: Duration) -> Attached {
        self.joined.limit.set(limit);
        self
    }

    /// Quits nothing when the reactor has stopped. An application's shutdown finishes the reactor all the
    /// same.
    pub fn keep_running(mut self) -> Attached {
        self.at_the_end = None;
        self.joined.quit_nothing();
        self
    }
}

impl Joined {
    /// Finishes the reactor: no loop drives it from here on.
    fn end(&self) {
        self.quit_nothing();
        drop(self.handle.finish_on_drop(self.limit.get()));
        // An application runs its context dry before it returns, and a descriptor that nobody reads
        // from any more may be readable for ever.
        if self.handle.is_stopped() {
            self.let_go();
        }
    }

    fn quit_nothing(&self) {
        if let Some(quit) = &self.quit {
            quit.forget();
        }
    }

    fn let_go(&self) {
        let driven = self.driven.take();
        match driven {
            Some(Driven::Embedded(watch)) => drop(watch),
            Some(Driven::Worker(proxy)) => {
                proxy.hold();
                // The source goes with the waker, and the tick with the source. A reactor that has stopped
                // has none any more.
                let _stopped = proxy.swap(Tick::detach);
            }
            None => {}
        }
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.joined.end();
        self.joined.let_go();
        let application = self.application.take();
        if let Some((Some(application), signal)) =
            application.map(|(application, signal)| (application.upgrade(), signal))
        {
            application.disconnect(signal);
        }
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached")
            .field("reactor", &self.joined.handle)
            .field("drive", &self.drive)
            .finish_non_exhaustive()
    }
}
