//! How far it is.

use std::fmt;
use std::time::{Duration, Instant};

/// How far something is that is being fetched. It is displayed as a line for a person, such as
/// `12.0 MB of 50.0 MB, 4.0 MB/s`.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    received: u64,
    total: Option<u64>,
    began: Instant,
    ended: Option<Instant>,
}

impl Progress {
    /// Nothing has come, of what is `total` bytes long, if that is known.
    pub fn begin(total: Option<u64>) -> Progress {
        Progress { received: 0, total, began: Instant::now(), ended: None }
    }

    /// More has come.
    pub fn add(&mut self, bytes: usize) {
        self.received += bytes as u64;
    }

    /// No more will come.
    pub fn end(&mut self) {
        self.ended.get_or_insert_with(Instant::now);
    }

    /// How many bytes have come.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// Which part of it has come, between 0 and 1; None where the length is unknown.
    pub fn fraction(&self) -> Option<f64> {
        let total = self.total.filter(|&total| total > 0)?;
        Some((self.received as f64 / total as f64).min(1.0))
    }

    /// How long it has taken.
    pub fn elapsed(&self) -> Duration {
        self.ended.unwrap_or_else(Instant::now) - self.began
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", size(self.received))?;
        if let Some(total) = self.total.filter(|_| self.ended.is_none()) {
            write!(f, " of {}", size(total))?;
        }
        let seconds = self.elapsed().as_secs_f64();
        if self.ended.is_some() {
            match self.elapsed().as_millis() {
                millis @ ..1000 => write!(f, " in {millis} ms")?,
                _ => write!(f, " in {seconds:.1} s")?,
            }
        }
        // Before that a rate says little.
        if seconds >= 0.1 {
            write!(f, ", {}/s", size((self.received as f64 / seconds) as u64))?;
        }
        Ok(())
    }
}

/// A number of bytes, for a person.
pub fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return format!("{bytes} bytes");
    }
    let (mut size, mut unit) = (bytes as f64 / 1e3, 0);
    // What would be rounded to 1000.0 is written as 1.0 of the next.
    while size >= 999.95 && unit + 1 < UNITS.len() {
        (size, unit) = (size / 1e3, unit + 1);
    }
    format!("{size:.1} {}", UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_written_for_persons() {
        let written = [0, 999, 1000, 999_949, 999_999, 104_857_600, u64::MAX].map(size);
        let expected =
            ["0 bytes", "999 bytes", "1.0 kB", "999.9 kB", "1.0 MB", "104.9 MB", "18446744.1 TB"];
        assert_eq!(written, expected);
    }

    #[test]
    fn a_fraction_is_known_where_a_length_is() {
        let mut progress = Progress::begin(Some(200));
        progress.add(50);
        assert_eq!(progress.fraction(), Some(0.25));
        assert!(progress.to_string().starts_with("50 bytes of 200 bytes"));
        progress.add(1000);
        assert_eq!(progress.fraction(), Some(1.0));
        for unknown in [None, Some(0)] {
            assert_eq!(Progress::begin(unknown).fraction(), None);
        }
    }

    #[test]
    fn what_has_ended_takes_no_longer() {
        let mut progress = Progress::begin(None);
        progress.add(5);
        progress.end();
        let elapsed = progress.elapsed();
        std::thread::sleep(Duration::from_millis(1));
        assert_eq!(progress.elapsed(), elapsed);
        assert!(progress.to_string().starts_with("5 bytes in "));
    }
}
