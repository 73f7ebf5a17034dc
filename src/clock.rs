//! The reactor's clock: monotonic nanoseconds, in one word.

use std::time::{Duration, Instant};

/// Nanoseconds since a moment just before the reactor was made. 0 never shows.
pub(crate) type Nanos = u64;

/// How far the rough clock may be from the exact one: more than the longest period of a kernel's timer
/// interrupt, which is 10 ms.
pub(crate) const ROUGH: Nanos = 20_000_000;

/// A time that does not come: 584 years after the reactor.
pub(crate) const NEVER: Nanos = Nanos::MAX;

pub(crate) struct Clock {
    start: Instant,
    rough: rough::Clock,
}

impl Clock {
    pub(crate) fn new() -> Clock {
        Clock { rough: rough::Clock::new(), start: Instant::now() }
    }

    pub(crate) fn now(&self) -> Nanos {
        self.at(Instant::now())
    }

    /// The time, give or take `ROUGH`. It stands still between two timer interrupts of the kernel, and
    /// costs a fraction of `now`, which asks the processor.
    pub(crate) fn roughly(&self) -> Nanos {
        self.rough.now()
    }

    /// True when a time has not come yet.
    pub(crate) fn is_before(&self, time: Nanos) -> bool {
        time > self.roughly().saturating_add(ROUGH) || time > self.now()
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

/// The time of the kernel's last timer interrupt.
#[cfg(target_os = "linux")]
mod rough {
    use rustix::time::{ClockId, clock_gettime};

    use super::Nanos;

    pub(super) struct Clock {
        start: Nanos,
    }

    impl Clock {
        pub(super) fn new() -> Clock {
            Clock { start: read() }
        }

        pub(super) fn now(&self) -> Nanos {
            read().saturating_sub(self.start) + 1
        }
    }

    fn read() -> Nanos {
        let time = clock_gettime(ClockId::MonotonicCoarse);
        time.tv_sec as Nanos * 1_000_000_000 + time.tv_nsec as Nanos
    }
}

/// Where there is no such clock, the exact one is as good.
#[cfg(not(target_os = "linux"))]
mod rough {
    use std::time::Instant;

    use super::{Nanos, nanos};

    pub(super) struct Clock {
        start: Instant,
    }

    impl Clock {
        pub(super) fn new() -> Clock {
            Clock { start: Instant::now() }
        }

        pub(super) fn now(&self) -> Nanos {
            nanos(self.start.elapsed()).saturating_add(1)
        }
    }
}
