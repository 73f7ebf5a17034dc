//! How many timers, and for when: the same for every system.

use std::time::{Duration, Instant};

/// How many timers live at once, and how often the work is done with so many.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) crowd: usize,
    pub(super) rounds: usize,
}

/// Within how long all timers of a crowd fire.
const WINDOW: Duration = Duration::from_millis(10);

impl Plan {
    /// The delays of timers that are cancelled long before they would fire: from a second to an hour.
    pub(super) fn delays(self, round: usize) -> Vec<Duration> {
        let mut random = Random::new(round);
        let (from, to) = (Duration::from_secs(1), Duration::from_secs(3600));
        (0..self.crowd).map(|_| random.between(from, to)).collect()
    }

    /// The times at which a crowd fires, and the end of the window that they lie in. There is time to
    /// set them all before the first.
    pub(super) fn deadlines(self, round: usize) -> (Vec<Instant>, Instant) {
        let mut random = Random::new(round);
        let first = Instant::now()
            + Duration::from_millis(5)
            + Duration::from_micros(2) * self.crowd as u32;
        let delays = (0..self.crowd).map(|_| random.between(Duration::ZERO, WINDOW));
        (delays.map(|delay| first + delay).collect(), first + WINDOW)
    }
}

/// Waits until all timers of the window are overdue, whatever a loop's resolution.
pub(super) fn wait_for(end: Instant) {
    let overdue = end + Duration::from_millis(3);
    std::thread::sleep(overdue.saturating_duration_since(Instant::now()));
}

/// The random numbers of George Marsaglia's xorshift: the same in every run.
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: usize) -> Random {
        Random(0x9E37_79B9_7F4A_7C15 ^ (seed as u64 + 1))
    }

    pub(super) fn between(&mut self, from: Duration, to: Duration) -> Duration {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        from + Duration::from_nanos(self.0 % (to - from).as_nanos() as u64)
    }
}
