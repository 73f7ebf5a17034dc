//! The reactor's clock: monotonic nanoseconds, in one word.

use std::time::{Duration, Instant};

/// Nanoseconds since a moment just before the reactor was made. 0 never shows.
pub(crate) type Nanos = u64;

/// A time that does not come: 584 years after the reactor.
pub(crate) const NEVER: Nanos = Nanos::MAX;

pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock { start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Nanos {
        self.at(Instant::now())
    }

    /// The time of `instant`; one from before the reactor is the first that shows.
    pub(crate) fn at(&self, instant: Instant) -> Nanos {
        nanos(instant.saturating_duration_since(self.start)).saturating_add(1)
    }

    /// How long it is until a time, or None when that does not come: then the clock is not read.
    pub(crate) fn until(&self, at: Nanos) -> Option<Duration> {
        if at == NEVER { None } else { between(self.now(), at) }
    }

    /// The instant of a time. None when it does not come.
    pub(crate) fn instant(&self, at: Nanos) -> Option<Instant> {
        between(1, at).and_then(|since| self.start.checked_add(since))
    }
}

/// A duration in nanoseconds, the longest ones as `NEVER`.
pub(crate) fn nanos(duration: Duration) -> Nanos {
    duration.as_nanos().try_into().unwrap_or(NEVER)
}

/// How long it is from `now` until `until`, or None when that does not come.
pub(crate) fn between(now: Nanos, until: Nanos) -> Option<Duration> {
    (until != NEVER).then(|| Duration::from_nanos(until.saturating_sub(now)))
}
