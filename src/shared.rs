//! What the threads share: the inbox, the worker's bed, the proxy, the backend.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Instant;

use async_task::Runnable;
use interloop_backends::{Key, Poller};

use crate::builder::Options;
use crate::clock::Clock;
use crate::fork::Process;
use crate::inbox::Inbox;
use crate::local::{self, ThreadToken};
use crate::park::{Park, Watch};
use crate::proxy::{Proxy, Wake, Waker};
use crate::report::Report;
use crate::stats::Counters;
use crate::stopped::End;
use crate::tick::Tick;
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
    pub(crate) proxy: Proxy,
    pub(crate) counters: Counters,
    pub(crate) end: End,
    pub(crate) worker: WorkerEnd,
    /// True once somebody asked for the shutdown. Set by any thread before a wake, read in a turn.
    stop: AtomicBool,
    /// True when the waker was seen to run a tick inside itself on the host thread: wakes from
    /// there are left to the worker. Set and read on the host thread, cleared by a swap. Relaxed: a
    /// hint.
    inline: AtomicBool,
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
            proxy: Proxy::new(),
            counters: Counters::new(),
            end: End::new(),
            worker: WorkerEnd::new(),
            stop: AtomicBool::new(false),
            inline: AtomicBool::new(false),
        }
    }

    pub(crate) fn is_host(&self) -> bool {
        local::thread() == self.host
    }

    /// Makes sure that a turn follows what was pushed before.
    pub(crate) fn wake(self: &Arc<Shared>) {
        self.counters.requested.add(1);
        if self.inbox.post() {
            self.wake_posted();
        } else {
            self.counters.coalesced.add(1);
        }
    }

    /// Wakes the host for a `post` that asked for it, and has the worker watch whether it came.
    pub(crate) fn wake_posted(self: &Arc<Shared>) {
        self.counters.woken_at(self.clock.now());
        if self.inline.load(Ordering::Relaxed) && self.is_host() {
            self.notify_if(self.park.relay());
            return;
        }
        match self.call_waker() {
            Wake::Called | Wake::Panicked => self.notify_if(self.park.watch(Watch::Tick)),
            Wake::Handed | Wake::Held | Wake::Closed => {}
        }
    }

    /// Calls the waker, whatever is pending.
    pub(crate) fn call_waker(self: &Arc<Shared>) -> Wake {
        let wake = self.proxy.wake(|| {
            self.counters.issued.add(1);
            Tick::new(Arc::clone(self))
        });
        if wake == Wake::Panicked {
            self.report(&Report::WakerPanicked);
        }
        wake
    }

    /// A tick was dropped, or ran where it must not.
    pub(crate) fn post_failed(&self) {
        self.counters.failed.add(1);
        self.notify_if(self.park.fail());
    }

    /// A tick was run inside the waker, on the host thread: the worker posts from now on.
    pub(crate) fn post_inline(&self) {
        self.inline.store(true, Ordering::Relaxed);
        self.counters.failed.add(1);
        self.notify_if(self.park.relay());
    }

    /// Puts a waker in the place of the one there, and wakes it if a turn is owed.
    pub(crate) fn swap_waker(self: &Arc<Shared>, waker: Arc<Waker>) -> io::Result<()> {
        let limit = Instant::now() + self.options.swap_limit;
        self.inline.store(false, Ordering::Relaxed);
        let swapped = self.proxy.swap(Some(waker), limit);
        if swapped.as_ref().map_or_else(|e| e.kind() == io::ErrorKind::TimedOut, |()| true) {
            self.rewake();
        }
        swapped
    }

    /// Wakes the host once more if a turn is owed: the tick that is outstanding may be lost.
    pub(crate) fn rewake(self: &Arc<Shared>) {
        if self.inbox.is_pending() {
            self.wake_posted();
        }
    }

    /// Notifies the backend if the worker sleeps in it, as `Park` found out.
    pub(crate) fn notify_if(&self, asleep: bool) {
        if !asleep {
            self.counters.interrupts_saved.add(1);
            return;
        }
        self.counters.interrupts.add(1);
        if let Err(error) = self.poller.notify() {
            self.report(&Report::BackendFailed(&error));
        }
        self.worker.unpark();
    }

    /// Takes a task that was woken, on whatever thread.
    pub(crate) fn schedule(self: &Arc<Shared>, task: Runnable<Key>) {
        if self.is_host() {
            if let Some(core) = local::find(self.id) {
                core.schedule(task);
            }
            return;
        }
        self.inbox.push_task(task);
        self.wake();
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
        (self.options.reporter)(report);
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
