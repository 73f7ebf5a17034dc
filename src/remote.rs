//! The handle for all other threads.

use std::fmt;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc;

use crate::fork::Process;
use crate::shared::{Shared, gone};
use crate::stopped::Stopped;

/// The way to a reactor from any thread, from [`Handle::remote`](crate::Handle::remote).
///
/// It may outlive the reactor; then every method answers so.
#[derive(Clone)]
pub struct Remote {
    shared: Arc<Shared>,
}

impl Remote {
    pub(crate) fn new(shared: &Arc<Shared>) -> Remote {
        Remote { shared: Arc::clone(shared) }
    }

    /// Runs `f` on the host thread, in one of its next turns. Returns at once.
    ///
    /// The calls of one thread run in their order. Every call that is taken runs, those that come
    /// during an orderly shutdown too; only dropping the reactor drops calls that have not run.
    ///
    /// # Errors
    ///
    /// [`CallError`], with `f` inside, when the reactor has stopped, or this process was forked from
    /// the reactor's: it did not run and will not.
    pub fn call<F: FnOnce() + Send + 'static>(&self, f: F) -> Result<(), CallError<F>> {
        if !self.shared.process.is_current() {
            return Err(CallError { f, process: self.shared.process });
        }
        match self.shared.inbox.push_call(f) {
            Ok(true) => {
                self.shared.counters.call_wakes.add(1);
                self.shared.wake_posted();
            }
            // The host counts the calls that it takes, so that those who call share no counter.
            Ok(false) => {}
            Err(f) => return Err(CallError { f, process: self.shared.process }),
        }
        Ok(())
    }

    /// Runs `f` on the host thread and waits for its result.
    ///
    /// # Errors
    ///
    /// `Deadlock`, at once, on the host thread itself; `NotConnected` when the reactor has stopped,
    /// or is dropped before it came to it; `Unsupported` in a forked child.
    ///
    /// # Panics
    ///
    /// With the panic of `f`, which does not reach the host.
    pub fn call_blocking<T, F>(&self, f: F) -> io::Result<T>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        self.shared.check()?;
        if self.shared.is_host() {
            let message = "call_blocking() on the host thread would wait for itself: \
                           run the closure where you are";
            return Err(io::Error::new(io::ErrorKind::Deadlock, message));
        }
        let (sender, result) = mpsc::sync_channel(1);
        let call = move || {
            // Nobody waits for the result only when the caller is gone.
            let _unwanted = sender.send(catch_unwind(AssertUnwindSafe(f)));
        };
        self.call(call).map_err(|_refused| gone())?;
        match result.recv() {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(panic)) => resume_unwind(panic),
            Err(_dropped) => Err(gone()),
        }
    }

    /// Asks for the orderly shutdown, and returns at once. Asking again changes nothing.
    pub fn stop(&self) {
        if self.shared.process.is_current() {
            self.shared.stop();
        }
    }

    /// The end of the reactor, to wait for.
    pub fn stopped(&self) -> Stopped {
        Stopped::new(Arc::clone(&self.shared))
    }

    /// True once the reactor has stopped, or is gone.
    pub fn is_stopped(&self) -> bool {
        self.shared.is_over()
    }
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Remote").field("stopped", &self.is_stopped()).finish()
    }
}

/// A call that came too late, with its closure.
pub struct CallError<F> {
    /// The closure, which did not run.
    pub f: F,
    process: Process,
}

impl<F> CallError<F> {
    fn reason(&self) -> io::Error {
        self.process.check().err().unwrap_or_else(gone)
    }
}

impl<F> From<CallError<F>> for io::Error {
    fn from(refused: CallError<F>) -> io::Error {
        refused.reason()
    }
}

impl<F> fmt::Debug for CallError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CallError")
    }
}

impl<F> fmt::Display for CallError<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.reason().fmt(f)
    }
}

impl<F> std::error::Error for CallError<F> {}
