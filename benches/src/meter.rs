//! The clock of a measurement, which the measured work itself starts and stops.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use interloop::Remote;

/// Counts units of work, on the host thread. The first count starts the clock, and is the warm-up
/// of its reactor, unless `begin` or `skip` says otherwise. The one that makes the number full stops
/// the clock and the reactor.
#[derive(Clone)]
pub struct Meter {
    inner: Arc<Inner>,
}

struct Inner {
    remote: Remote,
    wanted: u64,
    /// How many units were done since the clock was started. Written and read by the host thread alone, as is
    /// `skip`; atomics, because a call carries the meter there from another thread. Relaxed: they publish
    /// nothing. What comes before such a call is ordered by the reactor's queue.
    done: AtomicU64,
    /// How many counts are left that do not start the clock.
    skip: AtomicU64,
    began: OnceLock<Instant>,
    took: OnceLock<Duration>,
}

impl Meter {
    pub(crate) fn new(remote: Remote, wanted: u64) -> Meter {
        let inner = Inner {
            remote,
            wanted,
            done: AtomicU64::new(0),
            skip: AtomicU64::new(0),
            began: OnceLock::new(),
            took: OnceLock::new(),
        };
        Meter { inner: Arc::new(inner) }
    }

    /// So many units of work were done since the last count.
    pub fn count(&self, units: u64) {
        let inner = &self.inner;
        let Some(began) = inner.began.get() else {
            match inner.skip.load(Ordering::Relaxed) {
                0 => self.begin(),
                left => inner.skip.store(left - 1, Ordering::Relaxed),
            }
            return;
        };
        let done = inner.done.load(Ordering::Relaxed) + units;
        inner.done.store(done, Ordering::Relaxed);
        if done >= inner.wanted && inner.took.get().is_none() {
            // Work that comes in batches overshoots, and its time is scaled to what was wanted.
            let took = began.elapsed().mul_f64(inner.wanted as f64 / done as f64);
            inner.took.get_or_init(|| took);
            inner.remote.stop();
        }
    }

    /// Starts the clock, where that is not left to the first count.
    pub fn begin(&self) {
        self.inner.began.get_or_init(Instant::now);
    }

    /// Leaves so many counts out before the one that starts the clock.
    pub fn skip(&self, counts: u64) {
        self.inner.skip.store(counts, Ordering::Relaxed);
    }

    pub(crate) fn took(&self) -> Duration {
        *self.inner.took.get().expect("all units of work were done")
    }
}
