//! Waiting for the end of a reactor, as a thread or as a task.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use event_listener::{Event, EventListener, Listener};

use crate::shared::Shared;

/// The end of a reactor, and who waits for it.
pub(crate) struct End {
    /// Set once, by the host thread, before the event is notified. Release publishes all that the
    /// reactor did before its end.
    reached: AtomicBool,
    event: Event,
}

impl End {
    pub(crate) fn new() -> End {
        End { reached: AtomicBool::new(false), event: Event::new() }
    }

    pub(crate) fn reach(&self) {
        self.reached.store(true, Ordering::Release);
        self.event.notify(usize::MAX);
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.reached.load(Ordering::Acquire)
    }
}

/// The end of a reactor: a future, and on any thread a wait.
///
/// From [`Remote::stopped`](crate::Remote::stopped). It is safe to drop at any time, and to make
/// when the end is long past.
pub struct Stopped {
    shared: Arc<Shared>,
    listener: Option<EventListener>,
}

impl Stopped {
    pub(crate) fn new(shared: Arc<Shared>) -> Stopped {
        Stopped { shared, listener: None }
    }

    /// Blocks until the reactor has stopped, at most for `timeout`. True when it has.
    ///
    /// On the host thread this blocks the host loop, and so the shutdown itself: there it returns
    /// at once, and in a forked child too, where the reactor does not run.
    pub fn wait(self, timeout: Duration) -> bool {
        if self.shared.is_host() || !self.shared.process.is_current() {
            return self.shared.is_over();
        }
        let listener = self.shared.end.event.listen();
        if self.shared.is_over() {
            return true;
        }
        match Instant::now().checked_add(timeout) {
            Some(limit) => drop(listener.wait_deadline(limit)),
            None => listener.wait(),
        }
        self.shared.is_over()
    }
}

impl Future for Stopped {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            if self.shared.is_over() {
                return Poll::Ready(());
            }
            match &mut self.listener {
                // Listening comes before the next look, so that no end is missed in between.
                None => self.listener = Some(self.shared.end.event.listen()),
                Some(listener) => match Pin::new(listener).poll(cx) {
                    Poll::Ready(()) => self.listener = None,
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }
}

impl fmt::Debug for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stopped").field(&self.shared.is_over()).finish()
    }
}
