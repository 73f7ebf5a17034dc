//! A histogram of durations: four buckets to a power of two, so that a percentile is at most a
//! quarter too high.

use std::fmt;
use std::time::Duration;

const STEPS: usize = 4;
const BUCKETS: usize = 64 * STEPS;

/// How often which duration was seen.
#[derive(Clone)]
pub struct Histogram {
    counts: Box<[u64; BUCKETS]>,
    total: u64,
    longest: u64,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        Histogram { counts: Box::new([0; BUCKETS]), total: 0, longest: 0 }
    }

    pub(crate) fn record(&mut self, nanos: u64) {
        self.counts[bucket(nanos)] += 1;
        self.total += 1;
        self.longest = self.longest.max(nanos);
    }

    /// How many durations were seen.
    pub fn count(&self) -> u64 {
        self.total
    }

    /// The longest one.
    pub fn max(&self) -> Duration {
        Duration::from_nanos(self.longest)
    }

    /// The duration that a share of `percent` of them did not exceed, at most a quarter too high;
    /// zero when there were none.
    pub fn percentile(&self, percent: f64) -> Duration {
        let rank = (self.total as f64 * percent / 100.0).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper(index).min(self.longest));
            }
        }
        self.max()
    }
}

impl fmt::Debug for Histogram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Histogram")
            .field("count", &self.count())
            .field("p50", &self.percentile(50.0))
            .field("p99", &self.percentile(99.0))
            .field("max", &self.max())
            .finish()
    }
}

/// The power of two below `nanos`, and which quarter of the way to the next one.
fn bucket(nanos: u64) -> usize {
    let nanos = nanos.max(STEPS as u64);
    let power = nanos.ilog2() as usize;
    let quarter = (nanos >> (power - 2)) as usize & (STEPS - 1);
    power * STEPS + quarter
}

/// The longest duration of a bucket.
fn upper(bucket: usize) -> u64 {
    let (power, quarter) = (bucket / STEPS, bucket % STEPS);
    let step = 1_u64 << power.saturating_sub(2);
    (1_u64 << power).saturating_add(step.saturating_mul(quarter as u64 + 1)) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_at_most_a_quarter_too_high() {
        for nanos in [4, 5, 7, 8, 100, 1023, 1024, 1025, 999_999, 123_456_789, u64::MAX / 3] {
            let mut histogram = Histogram::new();
            histogram.record(nanos);
            histogram.record(u64::MAX);
            let median = histogram.percentile(50.0).as_nanos() as u64;
            assert!(median >= nanos && median <= nanos + nanos / 4 + 1, "{nanos}: {median}");
        }
    }

    #[test]
    fn an_empty_histogram_answers_zero() {
        assert_eq!(Histogram::new().percentile(99.0), Duration::ZERO);
    }
}
