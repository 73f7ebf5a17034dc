//! How many tests ran.

use std::fmt;

/// The sum of the `test result:` lines that were read.
#[derive(Default)]
pub(crate) struct Tally {
    pub(crate) passed: u64,
    failed: u64,
    ignored: u64,
    /// Test programs, and doctest runs.
    programs: u64,
}

impl Tally {
    /// Counts a line if it is one that sums up a test program.
    pub(crate) fn read(&mut self, line: &str) {
        let Some(counts) = line.strip_prefix("test result: ") else { return };
        let counts = counts.split_once(". ").map_or(counts, |(_, counts)| counts);
        self.programs += 1;
        for count in counts.split(';') {
            match count.trim().split_once(' ') {
                Some((number, "passed")) => self.passed += number.parse().unwrap_or(0),
                Some((number, "failed")) => self.failed += number.parse().unwrap_or(0),
                Some((number, "ignored")) => self.ignored += number.parse().unwrap_or(0),
                _ => {}
            }
        }
    }

    /// Whether nothing that runs tests was run.
    pub(crate) fn is_empty(&self) -> bool {
        self.programs == 0
    }

    pub(crate) fn add(&mut self, other: &Tally) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
        self.programs += other.programs;
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} tests passed, {} failed, {} ignored, in {} runs of test programs",
            self.passed, self.failed, self.ignored, self.programs
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_sum_up_a_program_are_counted() {
        let mut tally = Tally::default();
        tally.read("running 3 tests\n");
        tally.read("test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out\n");
        tally.read("test result: FAILED. 4 passed; 3 failed; 0 ignored; 0 measured\n");
        assert_eq!(
            tally.to_string(),
            "6 tests passed, 3 failed, 1 ignored, in 2 runs of test programs"
        );
    }
}
