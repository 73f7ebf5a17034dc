//! How a reactor is made.

use std::env;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use interloop_backends::{BackendKind, Poller};

use crate::core::Core;
use crate::reactor::Reactor;
use crate::report::{Report, default_reporter};
use crate::shared::Shared;

type Reporter = Box<dyn Fn(&Report<'_>) + Send + Sync>;

/// What a reactor was told.
pub(crate) struct Options {
    pub(crate) turn_items: usize,
    pub(crate) turn_time: Duration,
    pub(crate) rewake_after: Duration,
    pub(crate) grace: Duration,
    pub(crate) slow_callback: Duration,
    pub(crate) swap_limit: Duration,
    pub(crate) reporter: Reporter,
}

/// Makes a reactor, from [`Reactor::builder`].
///
/// ```
/// use std::time::Duration;
///
/// let reactor = interloop::Reactor::builder().turn_budget(1000, Duration::from_millis(2)).build()?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "`build` makes the reactor"]
pub struct Builder {
    backend: Option<BackendKind>,
    poller: Option<Arc<dyn Poller>>,
    options: Options,
}

impl Builder {
    pub(crate) fn new() -> Builder {
        Builder {
            backend: None,
            poller: None,
            options: Options {
                turn_items: 10_000,
                turn_time: Duration::from_millis(4),
                rewake_after: Duration::from_millis(250),
                grace: Duration::from_millis(5),
                slow_callback: Duration::from_millis(100),
                swap_limit: Duration::from_secs(10),
                reporter: Box::new(default_reporter),
            },
        }
    }

    /// Chooses the backend. Without this, the environment variable `INTERLOOP_BACKEND` does, and
    /// without that it is the first of [`BackendKind::available`].
    pub fn backend(mut self, kind: BackendKind) -> Builder {
        self.backend = Some(kind);
        self
    }

    /// Takes a backend that was made elsewhere: a scripted one in a test, or your own. It comes
    /// before whatever else chooses one.
    pub fn poller(mut self, poller: Arc<dyn Poller>) -> Builder {
        self.poller = Some(poller);
        self
    }

    /// How many callbacks, and for how long, one turn runs at the most before it gives the host
    /// loop a chance and posts another tick. 10,000 and 4 ms, unless told otherwise. A callback
    /// that runs is not interrupted, and every turn runs at least one. The clock is not read behind each of
    /// those that are short, so that a turn may last longer than that by a callback or two.
    pub fn turn_budget(mut self, items: usize, time: Duration) -> Builder {
        self.options.turn_items = items.max(1);
        self.options.turn_time = time.max(Duration::from_nanos(1));
        self
    }

    /// After what time a tick that was posted, and neither run nor dropped, counts as swallowed by
    /// the host and is posted again. 250 ms, unless told otherwise; it doubles, up to 64 times that,
    /// until a turn runs. A host that is merely busy gets one tick more, which is harmless.
    pub fn rewake_after(mut self, after: Duration) -> Builder {
        self.options.rewake_after = after.max(Duration::from_millis(1));
        self
    }

    /// After what time a callback is taken to run a nested host loop, so that what waits behind it
    /// gets a tick of its own: after once to twice this. 5 ms, unless told otherwise, and at most
    /// [`rewake_after`](Builder::rewake_after). A callback that is merely slow costs one tick more,
    /// which is harmless.
    pub fn nested_grace(mut self, grace: Duration) -> Builder {
        self.options.grace = grace.max(Duration::from_micros(100));
        self
    }

    /// A callback that holds the host thread longer than this is reported, with its label. 100 ms,
    /// unless told otherwise.
    pub fn slow_callback(mut self, threshold: Duration) -> Builder {
        self.options.slow_callback = threshold;
        self
    }

    /// Where reports go. Called on any thread, the worker's too, with no lock held; it must not
    /// panic, nor wait for the host thread, which may be waiting for the worker. Without this a
    /// report is an event of `tracing`, where that feature is on and somebody subscribes to it, and
    /// else a line on standard error.
    pub fn reporter(mut self, reporter: impl Fn(&Report<'_>) + Send + Sync + 'static) -> Builder {
        self.options.reporter = Box::new(reporter);
        self
    }

    /// Makes the reactor. The thread that calls this is its host thread.
    ///
    /// # Errors
    ///
    /// `Unsupported` when the chosen backend does not open here; `InvalidInput` when
    /// `INTERLOOP_BACKEND` names none; otherwise what the operating system said, such as that the
    /// process has no descriptors left.
    pub fn build(self) -> io::Result<Reactor> {
        let poller = match (self.poller, self.backend) {
            (Some(poller), _) => poller,
            (None, Some(kind)) => interloop_backends::open(kind)?,
            (None, None) => default_poller()?,
        };
        Ok(Reactor::start(Core::new(Arc::new(Shared::new(self.options, poller)))))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder").field("backend", &self.backend).finish_non_exhaustive()
    }
}

/// The environment's backend, or the best that opens.
fn default_poller() -> io::Result<Arc<dyn Poller>> {
    if let Some(name) = env::var_os("INTERLOOP_BACKEND").filter(|name| !name.is_empty()) {
        let in_variable =
            |error: io::Error| io::Error::new(error.kind(), format!("INTERLOOP_BACKEND: {error}"));
        let kind = name.to_string_lossy().parse().map_err(in_variable)?;
        return interloop_backends::open(kind).map_err(in_variable);
    }
    let mut first_error = None;
    let mut absent = Vec::new();
    for kind in BackendKind::ALL {
        match interloop_backends::open(kind) {
            Ok(poller) => return Ok(poller),
            // A backend that is not here is no news; one that fails to open is.
            Err(error) if error.kind() == io::ErrorKind::Unsupported => {
                absent.push(error.to_string());
            }
            Err(error) => {
                first_error.get_or_insert(error);
            }
        }
    }
    Err(first_error.unwrap_or_else(|| {
        let message = format!("no backend is available here: {}", absent.join("; "));
        io::Error::new(io::ErrorKind::Unsupported, message)
    }))
}
