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
    /// What the readings gave at `start`, or shortly after: a time that has come here has come by any other clock.
    zero: Nanos,
}

/// How far `zero` may be from `start`, unless the thread is held up again and again between the two.
const APART: Nanos = 1_000;

impl Clock {
    pub(crate) fn new() -> Clock {
        let (mut clock, mut apart) = Clock::measured();
        for _ in 0..8 {
            if apart <= APART {
                break;
            }
            let (other, distance) = Clock::measured();
            if distance < apart {
                (clock, apart) = (other, distance);
            }
        }
        clock
    }

    /// A clock, and how far its `zero` is from its `start` at most.
    fn measured() -> (Clock, Nanos) {
        let before = reading::exact();
        let start = Instant::now();
        let zero = reading::exact();
        (Clock { start, zero }, zero.saturating_sub(before))
    }

    #[inline]
    pub(crate) fn now(&self) -> Nanos {
        self.since(reading::exact())
    }

    /// The time of the kernel's last timer interrupt, where it tells that, and else the time. It stands still between
    /// two of them, and costs a fraction of `now`, which asks the processor.
    #[inline]
    pub(crate) fn roughly(&self) -> Nanos {
        self.since(reading::rough())
    }

    #[inline]
    fn since(&self, reading: Nanos) -> Nanos {
        reading.saturating_sub(self.zero) + 1
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

/// Nanoseconds of the clock that `Instant` reads, from an origin of its own.
#[cfg(target_os = "linux")]
mod reading {
    use rustix::time::{ClockId, clock_gettime};

    use super::Nanos;

    #[inline]
    pub(super) fn exact() -> Nanos {
        read(ClockId::Monotonic)
    }

    /// As of the kernel's last timer interrupt.
    #[inline]
    pub(super) fn rough() -> Nanos {
        read(ClockId::MonotonicCoarse)
    }

    #[inline]
    fn read(clock: ClockId) -> Nanos {
        let time = clock_gettime(clock);
        time.tv_sec as Nanos * 1_000_000_000 + time.tv_nsec as Nanos
    }
}

/// Where there is no rough clock, the exact one is as good.
#[cfg(not(target_os = "linux"))]
mod reading {
    use std::sync::OnceLock;
    use std::time::Instant;

    use super::{Nanos, nanos};

    pub(super) fn exact() -> Nanos {
        static ORIGIN: OnceLock<Instant> = OnceLock::new();
        nanos(ORIGIN.get_or_init(Instant::now).elapsed())
    }

    pub(super) fn rough() -> Nanos {
        exact()
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_time_that_has_come_has_come_by_the_clock_of_the_standard_library() {
        let clock = Clock::new();
        for _ in 0..1_000 {
            let now = clock.now();
            assert!(now <= clock.at(Instant::now()));
            assert!(clock.instant(now).unwrap() <= Instant::now());
        }
    }

    #[test]
    fn the_rough_time_is_never_ahead() {
        let clock = Clock::new();
        for _ in 0..1_000 {
            let rough = clock.roughly();
            assert!(rough <= clock.now());
        }
    }
}
