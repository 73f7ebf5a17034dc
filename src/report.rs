//! What the reactor has to say, and to nobody in particular.

use std::fmt;
use std::io;
use std::time::Duration;

/// Something that went wrong and that no call can return.
///
/// [`Builder::reporter`](crate::Builder::reporter) takes a function for it; without one, a report
/// is a line on standard error, or a `tracing` event where that feature is on.
#[derive(Debug)]
#[non_exhaustive]
pub enum Report<'a> {
    /// [`Tick::run`](crate::Tick::run) was called on a thread that is not the host thread.
    WrongThread,
    /// The host's waker panicked.
    WakerPanicked,
    /// The backend failed. Every source hears of it as invalid; timers, calls and tasks go on.
    BackendFailed(&'a io::Error),
    /// A callback kept the host thread from its loop for longer than
    /// [`Builder::slow_callback`](crate::Builder::slow_callback).
    SlowCallback {
        /// The label of the source, timer or task.
        label: &'a str,
        /// How long it took.
        took: Duration,
    },
    /// A shutdown trigger ended with an error.
    TriggerFailed {
        /// The label of the trigger.
        label: &'a str,
        /// Its error.
        error: &'a str,
    },
    /// The guard of [`Handle::finish_on_drop`](crate::Handle::finish_on_drop) had to abandon
    /// something, or could not finish.
    Unfinished(&'a str),
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Report::WrongThread => f.write_str(
                "a tick was run on a thread that is not the host thread; \
                 post it to the thread that made the reactor",
            ),
            Report::WakerPanicked => f.write_str("the host's waker panicked; the wake is retried"),
            Report::BackendFailed(error) => write!(
                f,
                "the backend has failed: {error}; every source hears of it, and no I/O is reported \
                 any more"
            ),
            Report::SlowCallback { label, took } => {
                write!(f, "{label} held the host thread for {took:?}")
            }
            Report::TriggerFailed { label, error } => {
                write!(f, "the shutdown trigger {label} failed: {error}")
            }
            Report::Unfinished(what) => f.write_str(what),
        }
    }
}

/// The reporter of those who gave none.
pub(crate) fn default_reporter(report: &Report<'_>) {
    #[cfg(feature = "tracing")]
    tracing::warn!(target: "interloop", "{report}");
    #[cfg(not(feature = "tracing"))]
    eprintln!("interloop: {report}");
}
