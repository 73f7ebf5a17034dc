//! A look at a source before it is armed, where a worker would bring the event.
//!
//! What a callback has left unread, and what a peer has answered meanwhile, is there already. Armed for it, the
//! source wakes the worker, and that the host: two hand-overs from thread to thread, for what one system call
//! tells. So the host thread looks first, as long as it finds something, and now and then when it does not.

use std::cell::Cell;

/// More sources than these are armed at once, and reported together.
const FEW: usize = 8;

/// How many flushes in a row may find something. Then all is armed, and while that comes back by the worker, the
/// host comes to what it has of lower priority, and a loop that runs until its queue is empty to its end; and the
/// backend hears of a descriptor that was closed and its number used again.
const SERIES: u32 = 8;

/// How many looks may be in vain before most are left out.
const PATIENCE: u32 = 4;
/// Of how many looks one is taken then.
const RARELY: u32 = 8;

/// Whether it is worth while to look.
pub(super) struct Looks {
    /// How many were in vain or left out since one found something.
    vain: Cell<u32>,
    /// How many flushes in a row have found something.
    series: Cell<u32>,
}

impl Looks {
    pub(super) fn new() -> Looks {
        Looks { vain: Cell::new(0), series: Cell::new(0) }
    }

    /// True if a flush of this many sources may look.
    pub(super) fn may_begin(&self, sources: usize) -> bool {
        sources <= FEW && self.series.get() < SERIES
    }

    /// The flush has ended, and has found something or not.
    pub(super) fn end(&self, found: bool) {
        self.series.set(if found { self.series.get() + 1 } else { 0 });
    }

    /// True when the next look is to be taken, and to be told of by `found`.
    pub(super) fn is_due(&self) -> bool {
        let vain = self.vain.get();
        let is_due = vain < PATIENCE || vain % RARELY == 0;
        if !is_due {
            self.vain.set(vain.wrapping_add(1));
        }
        is_due
    }

    pub(super) fn found(&self, something: bool) {
        self.vain.set(if something { 0 } else { self.vain.get().wrapping_add(1) });
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn looks_in_vain_become_rare_and_one_that_is_not_makes_them_frequent() {
        let looks = Looks::new();
        let taken = |times: u32, something: bool| {
            let taken = (0..times).filter(|_| looks.is_due()).inspect(|_| looks.found(something));
            taken.count()
        };
        assert_eq!(taken(100, true), 100);
        assert_eq!(taken(4, false), 4);
        assert_eq!(taken(80, false), 10);
        assert_eq!(taken(8, true), 8 - 4);
        assert_eq!(taken(100, true), 100);
    }

    #[test]
    fn a_series_has_an_end() {
        let looks = Looks::new();
        assert!(!looks.may_begin(FEW + 1));
        for _ in 0..3 {
            for _ in 0..SERIES {
                assert!(looks.may_begin(1));
                looks.end(true);
            }
            assert!(!looks.may_begin(1));
            looks.end(false);
        }
    }
}
