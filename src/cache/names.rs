//! The names of futures that wait for a source, so that each finds its own wait again.

use std::cell::Cell;
use std::num::NonZeroU64;

/// The name of a future that waits. None is a poll function, which nobody tells when its caller loses
/// interest.
pub(crate) type Name = Option<NonZeroU64>;

/// Gives out the names of a reactor. None comes twice: a future may wait for as long as the program runs, beside another
/// one that waits five thousand times a second.
pub(crate) struct Names(Cell<u64>);

impl Names {
    pub(crate) const fn new() -> Names {
        Names(Cell::new(0))
    }

    /// The names behind this one.
    #[cfg(all(test, not(interloop_loom)))]
    pub(super) fn from(last: u64) -> Names {
        Names(Cell::new(last))
    }

    #[inline]
    pub(crate) fn next(&self) -> Name {
        self.0.set(self.0.get() + 1);
        NonZeroU64::new(self.0.get())
    }
}
