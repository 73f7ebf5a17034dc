//! The host's own timer, and how well the host keeps it.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// The period of the host's timer: 60 Hz, as near as the milliseconds of GLib's timeouts come.
pub(super) const PERIOD: Duration = Duration::from_millis(16);

/// What the callback of the host's timer keeps.
pub(super) struct Frames {
    last: Cell<Instant>,
    worst: Cell<Duration>,
}

impl Frames {
    pub(super) fn new() -> Frames {
        Frames { last: Cell::new(Instant::now()), worst: Cell::new(Duration::ZERO) }
    }

    /// The timer has fired.
    pub(super) fn frame(&self) {
        let now = Instant::now();
        let gap = now - self.last.replace(now);
        self.worst.set(self.worst.get().max(gap));
    }

    /// The longest time between two frames.
    pub(super) fn worst_gap(&self) -> Duration {
        self.worst.get()
    }
}
