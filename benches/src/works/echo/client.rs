//! The one client, which is the same for every server: a thread that writes a byte and waits until it
//! is back.

use std::io::{self, Read, Write};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::scene::Stream;
use crate::compare::Figure;

/// Fewer round trips than these are not taken, however slow the server is.
const LEAST: usize = 4;
/// Nor is the first part of the time measured, in which caches fill and clocks rise.
const WARM_UP: u32 = 5;
const PAUSE: Duration = Duration::from_micros(200);

/// When the client writes again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    /// As soon as the byte is back.
    BackToBack,
    /// After a pause, in which everything falls asleep.
    Paused,
}

pub(crate) struct Client(JoinHandle<io::Result<Vec<u64>>>);

/// Starts the client, which goes on for `time` and then closes its end. Its first byte waits in the
/// connection until the server is there.
pub(crate) fn start(stream: Stream, pace: Pace, time: Duration) -> Client {
    Client(thread::spawn(move || {
        round_trips(&stream, pace, time / WARM_UP, LEAST / 2)?;
        round_trips(&stream, pace, time, LEAST)
    }))
}

/// How long each round trip took, in nanoseconds.
fn round_trips(stream: &Stream, pace: Pace, time: Duration, least: usize) -> io::Result<Vec<u64>> {
    let mut took = Vec::with_capacity(1 << 17);
    let mut byte = [1];
    let began = Instant::now();
    loop {
        if pace == Pace::Paused {
            thread::sleep(PAUSE);
        }
        let written = Instant::now();
        stream.io().write_all(&byte)?;
        stream.io().read_exact(&mut byte)?;
        let read = Instant::now();
        took.push((read - written).as_nanos() as u64);
        if took.len() >= least && read - began >= time {
            return Ok(took);
        }
    }
}

impl Client {
    /// What the round trips took.
    pub(crate) fn figures(self) -> io::Result<Vec<Figure>> {
        let mut took = self.0.join().expect("the client does not panic")?;
        took.sort_unstable();
        let figure = |metric, share| Figure::new(metric, "ns", percentile(&took, share) as f64);
        Ok(vec![figure("p50", 0.5), figure("p99", 0.99), figure("p99.9", 0.999)])
    }
}

/// The least of the sorted values that this share of them does not exceed.
fn percentile(sorted: &[u64], share: f64) -> u64 {
    let rank = (share * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_value_that_was_there() {
        let values: Vec<u64> = (1..=1000).collect();
        assert_eq!(
            [0.5, 0.99, 0.999, 1.0].map(|share| percentile(&values, share)),
            [500, 990, 999, 1000]
        );
        assert_eq!(percentile(&[7], 0.999), 7);
        assert_eq!(percentile(&[7, 9], 0.5), 7);
    }
}
