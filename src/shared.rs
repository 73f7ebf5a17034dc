//! What the threads share: the inbox, the worker's bed, the proxy, the backend.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use interloop_backends::Poller;

use crate::builder::Options;
use crate::clock::Clock;
use crate::fork::Process;
use crate::inbox::Inbox;
use crate::local::{self, ThreadToken};
use crate::park::Park;
use crate::pool::Pool;
use crate::proxy::Proxy;
use crate::report::Report;
use crate::rest::Rest;
use crate::stats::Counters;
use crate::stopped::End;
use crate::worker::WorkerEnd;

pub(crate) struct Shared {
    /// Tells reactors apart, for the life of the process.
    pub(crate) id: usize,
    /// The host thread.
    pub(crate) host: ThreadToken,
    pub(crate) process: Process,
    pub(crate) clock: Clock,
    pub(crate) options: Options,
    pub(crate) poller: Arc<dyn Poller>,
    pub(crate) inbox: Inbox,
    pub(crate) park: Park,
    pub(crate) rest: Rest,
    pub(crate) proxy: Proxy,
    pub(crate) counters: Counters,
    pub(crate) end: End,
    pub(crate) worker: WorkerEnd,
    pub(crate) pool: Pool,
    /// True once somebody asked for the shutdown. Set by any thread before a wake, read in a turn.
    stop: AtomicBool,
    /// True when the waker was seen to run a tick inside itself on the host thread: wakes from
    /// there are left to the worker. Set and read on the host thread, cleared by a swap. Relaxed: a
    /// hint.
    pub(crate) inline: AtomicBool,
}

impl Shared {
    pub(crate) fn new(options: Options, poller: Arc<dyn Poller>) -> Shared {
        /// The next number. Relaxed: only the numbers have to differ.
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            host: local::thread(),
            process: Process::current(),
            clock: Clock::new(),
            options,
            poller,
            inbox: Inbox::new(),
            park: Park::new(),
            rest: Rest::new(),
            proxy: Proxy::new(),
            counters: Counters::new(),
            end: End::new(),
            worker: WorkerEnd::new(),
            pool: Pool::new(),
            stop: AtomicBool::new(false),
            inline: AtomicBool::new(false),
        }
    }

    #[inline]
    pub(crate) fn is_host(&self) -> bool {
        local::thread() == self.host
    }

    /// Asks for the shutdown, from any thread.
    pub(crate) fn stop(self: &Arc<Shared>) {
        if !self.stop.swap(true, Ordering::AcqRel) {
            self.wake();
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// True when the reactor has shut down, or is gone.
    pub(crate) fn is_over(&self) -> bool {
        self.end.is_reached()
    }

    pub(crate) fn report(&self, report: &Report<'_>) {
        // One that panics must not take the worker with it.
        let _panicked = catch_unwind(AssertUnwindSafe(|| (self.options.reporter)(report)));
    }

    /// An error when this process is a fork of the reactor's, or the reactor is over.
    pub(crate) fn check(&self) -> io::Result<()> {
        self.process.check()?;
        if self.is_over() { Err(gone()) } else { Ok(()) }
    }
}

/// What every call answers once the reactor is over.
pub(crate) fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the reactor has stopped")
}
