//! Who polls, where a worker could: it, or while it rests, the host thread.
//!
//! A worker that finds a tick outstanding brings events to a host that has not come to the last ones yet.
//! To be woken for each of them would take the host's own processor time, and wake nobody sooner. So it
//! rests, and the host looks for itself at the end of each turn, as long as it finds something; when it does
//! not, it sends the worker back to its post.
//!
//! A rest is short in any case. What the worker is to see meanwhile, it sees when that is over: a change, a
//! watch, the order to end.

use std::time::Duration;

use crate::sync::{AtomicU8, Ordering};

/// Longer than a busy host's turn, and shorter than anybody would wait for a tick in a nested loop.
pub(crate) const LIMIT: Duration = Duration::from_millis(1);

/// The worker polls, or does something else than rest.
const AT_WORK: u8 = 0;
/// The worker rests, and whoever claims it may poll.
const RESTING: u8 = 1;
/// The worker rests, and the host thread polls.
const CLAIMED: u8 = 2;

pub(crate) struct Rest {
    /// One of the above. The worker turns `AT_WORK` into `RESTING` and back, the host thread `RESTING` into
    /// `CLAIMED` and that into either of the others. Each by a read-modify-write that releases what its thread
    /// has done in the backend and acquires what the other has. The loom models `rest_*` cover it.
    state: AtomicU8,
}

impl Rest {
    pub(crate) fn new() -> Rest {
        Rest { state: AtomicU8::new(AT_WORK) }
    }

    /// The worker: rests until `pause` has returned, which is to last for `LIMIT` or until it is ended, and
    /// nobody else polls. From then on the worker polls.
    pub(crate) fn rest(&self, mut pause: impl FnMut()) {
        self.state.swap(RESTING, Ordering::AcqRel);
        loop {
            pause();
            let back =
                self.state.compare_exchange(RESTING, AT_WORK, Ordering::AcqRel, Ordering::Acquire);
            // Sent back, or by itself. While the host polls, it pauses once more.
            if back != Err(CLAIMED) {
                return;
            }
        }
    }

    /// The host thread: true when it is to poll in the worker's place, and to say `release` then.
    #[must_use]
    pub(crate) fn claim(&self) -> bool {
        // A look first, as mostly nobody rests: one that overlooks a rest leaves the worker to its end.
        self.state.load(Ordering::Relaxed) == RESTING
            && self
                .state
                .compare_exchange(RESTING, CLAIMED, Ordering::AcqRel, Ordering::Relaxed)
                .is_ok()
    }

    /// The host thread: has polled. Either the worker rests on, as more will come, or it is sent back, and the
    /// caller ends its pause.
    pub(crate) fn release(&self, rests_on: bool) {
        let state = if rests_on { RESTING } else { AT_WORK };
        self.state.swap(state, Ordering::AcqRel);
    }
}
