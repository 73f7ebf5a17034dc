//! A look at a source before it is armed, where a worker would bring the event.
//!
//! What a callback has left unread, and what a peer has answered meanwhile, is there already. Armed for it, the
//! source wakes the worker, and that the host: two hand-overs from thread to thread, for what one system call
//! tells. So the host thread looks first, as long as it finds something, and now and then when it does not.

use std::cell::Cell;

/// More sources than these are armed at once, and reported together.
pub(super) const FEW: usize = 8;

/// How many looks may be in vain before most are left out.
const PATIENCE: u32 = 4;
/// Of how many looks one is taken then.
const RARELY: u32 = 8;

/// Whether it is worth while to look.
pub(super) struct Looks {
    /// How many were in vain or left out since one found something.
    vain: Cell<u32>,
}

impl Looks {
    pub(super) fn new() -> Looks {
        Looks { vain: Cell::new(0) }
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
}
