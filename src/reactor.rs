//! The reactor itself: how it comes and goes.

use std::fmt;
use std::io;
use std::ops::Deref;
use std::rc::Rc;

use crate::builder::Builder;
use crate::core::Core;
use crate::handle::Handle;
use crate::local;

/// A reactor: I/O, timers, tasks and calls on the thread that made it, inside a host loop or with
/// its own.
///
/// Its methods are those of [`Handle`]. Dropping it is the abrupt end: what is registered is
/// closed, tasks are cancelled, calls that have not run are dropped, the worker ends. The orderly
/// end is [`stop`](Handle::stop), or [`finish`](Handle::finish) where the host loop has ended.
pub struct Reactor {
    handle: Handle,
}

impl Reactor {
    /// Makes a reactor with everything as it comes.
    ///
    /// # Errors
    ///
    /// As [`Builder::build`].
    pub fn new() -> io::Result<Reactor> {
        Reactor::builder().build()
    }

    /// Begins a reactor that is told more.
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// The reactor whose turn is running on this thread, the innermost where they nest.
    pub fn current() -> Option<Handle> {
        local::current().map(Handle::new)
    }

    pub(crate) fn start(core: Core) -> Reactor {
        let core = Rc::new(core);
        local::enter(core.shared.id, &core);
        Reactor { handle: Handle::new(core) }
    }
}

impl Deref for Reactor {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl Drop for Reactor {
    fn drop(&mut self) {
        self.handle.core().tear_down();
    }
}

impl fmt::Debug for Reactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}
