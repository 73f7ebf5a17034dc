//! Rates, out of what was counted.

use std::time::{Duration, Instant};

use interloop::Stats;

use super::load::{Counts, Traffic};

/// What happened in a second, between two looks.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// Since the meter began.
    pub at: Duration,
    /// Messages that went to the server and back.
    pub messages: f64,
    /// Their bytes.
    pub bytes: f64,
    /// Turns of the reactor.
    pub turns: f64,
    /// Wakes that something asked for, those that became a tick, and those that a tick on its way answered.
    pub wakes: [f64; 3],
    /// Events that were delivered.
    pub events: f64,
    /// Calls of another thread that ran.
    pub calls: f64,
    /// Returns of the worker from its wait.
    pub returns: f64,
    /// How many messages the percentiles of the round trip stand for; they are zero without.
    pub round_trips: usize,
    /// What half of the round trips did not exceed.
    pub median: Duration,
    /// What 99 in 100 of them did not exceed.
    pub slowest: Duration,
}

/// What has been counted until the last look.
#[derive(Debug)]
pub struct Meter {
    began: Instant,
    looked: Instant,
    stats: Stats,
    counts: Counts,
}

impl Meter {
    /// Begins.
    pub fn new(now: Instant, stats: &Stats) -> Meter {
        Meter { began: now, looked: now, stats: stats.clone(), counts: Counts::default() }
    }

    /// Looks, and answers what has happened since the last time.
    pub fn sample(&mut self, now: Instant, stats: &Stats, traffic: &Traffic) -> Sample {
        let seconds = now.saturating_duration_since(self.looked).as_secs_f64().max(1e-6);
        let rate = |before: u64, after: u64| after.saturating_sub(before) as f64 / seconds;
        let (old, counts) = (&self.stats, traffic.counts());
        let mut times = traffic.take_round_trips();
        times.sort_unstable();
        let sample = Sample {
            at: now.saturating_duration_since(self.began),
            messages: rate(self.counts.received, counts.received),
            bytes: rate(self.counts.bytes, counts.bytes),
            turns: rate(old.turns, stats.turns),
            wakes: [
                rate(old.wakes_requested, stats.wakes_requested),
                rate(old.wakes_issued, stats.wakes_issued),
                rate(old.wakes_coalesced, stats.wakes_coalesced),
            ],
            events: rate(old.events, stats.events),
            calls: rate(old.calls, stats.calls),
            returns: rate(old.worker_returns, stats.worker_returns),
            round_trips: times.len(),
            median: percentile(&times, 50),
            slowest: percentile(&times, 99),
        };
        (self.looked, self.stats, self.counts) = (now, stats.clone(), counts);
        sample
    }
}

/// What this share of the times, which are in order, does not exceed; zero when there are none.
pub fn percentile(times: &[Duration], percent: usize) -> Duration {
    let rank = (times.len() * percent).div_ceil(100).max(1);
    times.get(rank - 1).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use interloop::Reactor;

    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_times() {
        let times: Vec<Duration> = (1..=10).map(Duration::from_millis).collect();
        assert_eq!(percentile(&times, 50), Duration::from_millis(5));
        assert_eq!(percentile(&times, 99), Duration::from_millis(10));
        assert_eq!(percentile(&times[..1], 50), Duration::from_millis(1));
        assert_eq!(percentile(&[], 50), Duration::ZERO);
    }

    #[test]
    fn rates_are_of_a_second() {
        let reactor = Reactor::new().expect("a backend opens here");
        let traffic = Traffic::start(&reactor).expect("loopback");
        let began = Instant::now();
        let before = reactor.stats();
        let mut meter = Meter::new(began, &before);
        let mut after = before.clone();
        after.turns += 10;
        after.wakes_issued += 5;
        let half = began + Duration::from_millis(500);
        let sample = meter.sample(half, &after, &traffic);
        assert_eq!((sample.at, sample.turns, sample.wakes[1]), (half - began, 20.0, 10.0));
        // From there on.
        let sample = meter.sample(half + Duration::from_secs(1), &after, &traffic);
        assert_eq!((sample.turns, sample.messages), (0.0, 0.0));
    }
}
