//! What the reactor has to say, and to nobody in particular.

use std::fmt;
use std::io::{self, Write};
use std::time::Duration;

/// Something that went wrong and that no call can return.
///
/// [`Builder::reporter`](crate::Builder::reporter) takes a function for it, and says what happens
/// without one.
#[derive(Debug)]
#[non_exhaustive]
pub enum Report<'a> {
    /// [`Tick::run`](crate::Tick::run) was called on a thread that is not the host thread.
    WrongThread,
    /// The host's waker panicked.
    WakerPanicked,
    /// The backend failed. Every source hears of it as invalid; timers, calls and tasks go on.
    BackendFailed(&'a io::Error),
    /// The backend does not watch a source any more: its descriptor was closed elsewhere. The source
    /// hears of it as [`INVALID`](crate::Readiness::INVALID).
    SourceLost {
        /// The label of the source.
        label: &'a str,
        /// What the backend answered.
        error: &'a io::Error,
    },
    /// A callback kept the host thread from its loop for longer than
    /// [`Builder::slow_callback`](crate::Builder::slow_callback).
    SlowCallback {
        /// The label of the source, timer, task or trigger; of a call, that it was one.
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
    /// Something was abandoned: by the guard of
    /// [`Handle::finish_on_drop`](crate::Handle::finish_on_drop), or when the reactor was dropped.
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
            Report::SourceLost { label, error } => {
                write!(f, "the source {label} is watched no more: {error}")
            }
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
    if tracing::dispatcher::has_been_set() {
        return tracing::warn!(target: "interloop", "{report}");
    }
    // Nobody may be reading.
    let _lost = writeln!(io::stderr(), "interloop: {report}");
}
