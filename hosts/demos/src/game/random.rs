//! Random numbers that need not be good.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

/// A xorshift generator.
pub(super) struct Random(u64);

impl Random {
    /// One that nobody can foresee.
    pub(super) fn new() -> Random {
        Random::seeded(RandomState::new().build_hasher().finish())
    }

    pub(super) fn seeded(seed: u64) -> Random {
        Random(seed | 1)
    }

    pub(super) fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) as u32
    }

    /// From 0 up to 1.
    pub(super) fn part(&mut self) -> f32 {
        self.next() as f32 / u32::MAX as f32
    }

    /// True with this percentage.
    pub(super) fn percent(&mut self, percent: u32) -> bool {
        self.next() % 100 < percent
    }
}
