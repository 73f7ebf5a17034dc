//! How the worker sleeps, and who may interrupt it.
//!
//! The worker announces until when it is going to sleep, and reads once more what it sleeps on.
//! Whoever changes that writes the change first, and then looks at the announcement. Both sides
//! touch `sleep` with read-modify-writes, so that one of them comes first: either the announcement
//! acquires the change, or the one who changed sees the announcement and interrupts.
//! docs/ordering.md has the proof; the loom models `park_*` check it.

use crate::clock::{NEVER, Nanos};
use crate::sync::{AtomicBool, AtomicU8, AtomicU64, Ordering};

/// The announcement of a worker that does not sleep. The clock never shows it.
const AWAKE: Nanos = 0;

/// How closely the worker watches the host.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Watch {
    /// Not at all: nothing is owed.
    Off,
    /// A tick may be outstanding: the host may have swallowed it.
    Tick,
    /// A callback runs while other things wait behind it: it may have opened a nested host loop.
    Callback,
}

impl Watch {
    fn from_bits(bits: u8) -> Watch {
        match bits {
            0 => Watch::Off,
            1 => Watch::Tick,
            _ => Watch::Callback,
        }
    }
}

pub(crate) struct Park {
    /// `AWAKE`, or until when the worker sleeps. Written by the worker (to a time, and back), and
    /// to `AWAKE` by the one thread that interrupts it.
    sleep: AtomicU64,
    /// The earliest timer that nobody was woken for, or `NEVER`. Written by the host thread, by
    /// swap, and by the worker when it takes an expired one, by an exchange that fails when the
    /// host was faster. It publishes nothing but the time itself.
    deadline: AtomicU64,
    /// A `Watch`. Raised by anyone, by `fetch_max`; lowered by the worker, by a swap after which it
    /// looks once more at what was to be watched.
    watch: AtomicU8,
    /// The number of the callback that runs while other things wait, or 0. Written by the host
    /// thread, read by the worker when it watches.
    callback: AtomicU64,
    /// True when a post failed and the worker has to post again. Set by anyone, taken by the
    /// worker.
    failed: AtomicBool,
    /// True when the host thread leaves a post to the worker. Set by the host thread, taken by the
    /// worker.
    relayed: AtomicBool,
    /// True when the worker has to end. Set once, by the host thread.
    exit: AtomicBool,
}

impl Park {
    pub(crate) fn new() -> Park {
        Park {
            sleep: AtomicU64::new(AWAKE),
            deadline: AtomicU64::new(NEVER),
            watch: AtomicU8::new(Watch::Off as u8),
            callback: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            relayed: AtomicBool::new(false),
            exit: AtomicBool::new(false),
        }
    }

    /// The worker: announces until when it sleeps, which `plan` says, and asks `plan` once more
    /// whether that still holds. None when the worker has to end.
    pub(crate) fn sleep_until(&self, mut plan: impl FnMut() -> Nanos) -> Option<Nanos> {
        let mut until = plan();
        loop {
            self.sleep.swap(until.max(1), Ordering::AcqRel);
            if self.is_exiting() {
                self.awake();
                return None;
            }
            let again = plan();
            if again == until {
                return Some(until);
            }
            until = again;
        }
    }

    /// The worker: is awake again.
    pub(crate) fn awake(&self) {
        self.sleep.swap(AWAKE, Ordering::AcqRel);
    }

    /// Anyone, after a change that the worker must see. True when the caller has to notify the
    /// backend; false when the worker is awake and will see the change before it sleeps, or when
    /// somebody else notifies.
    #[must_use]
    pub(crate) fn interrupt(&self) -> bool {
        self.sleep.swap(AWAKE, Ordering::AcqRel) != AWAKE
    }

    /// The host thread: publishes the earliest timer. True when the caller has to notify.
    #[must_use]
    pub(crate) fn set_deadline(&self, deadline: Nanos) -> bool {
        self.deadline.swap(deadline, Ordering::AcqRel);
        // Not a load: the order of this read and of the worker's announcement is what counts.
        let until = self.sleep.fetch_add(0, Ordering::AcqRel);
        until != AWAKE && deadline < until && self.interrupt()
    }

    pub(crate) fn deadline(&self) -> Nanos {
        self.deadline.load(Ordering::Acquire)
    }

    /// The worker: takes the deadline when it has passed. True when the host has to be woken.
    pub(crate) fn take_due(&self, now: Nanos) -> bool {
        let deadline = self.deadline();
        // When this exchange fails, the host has published another deadline, which the next
        // announcement reads.
        deadline <= now
            && self
                .deadline
                .compare_exchange(deadline, NEVER, Ordering::AcqRel, Ordering::Acquire)
                .is_ok()
    }

    /// Anyone: asks for a watch at least this close. True when the caller has to notify.
    #[must_use]
    pub(crate) fn watch(&self, watch: Watch) -> bool {
        self.raise(watch) && self.interrupt()
    }

    /// Raises the watch without interrupting. True when it was lower.
    pub(crate) fn raise(&self, watch: Watch) -> bool {
        self.watch.fetch_max(watch as u8, Ordering::AcqRel) < watch as u8
    }

    pub(crate) fn watched(&self) -> Watch {
        Watch::from_bits(self.watch.load(Ordering::Acquire))
    }

    /// The worker: ends the watch. Whatever was to be watched before is visible afterwards, and a
    /// thread that asks from here on finds the watch low, and interrupts.
    pub(crate) fn unwatch(&self) {
        self.watch.swap(Watch::Off as u8, Ordering::AcqRel);
    }

    /// The host thread: callback `number` runs while other things wait. `goes_on` where it comes after
    /// another one that was watched, with no `set_callback(0)` between. True when the caller has to notify.
    #[must_use]
    pub(crate) fn watch_callback(&self, number: u64, goes_on: bool) -> bool {
        self.set_callback(number);
        // The worker stays at its watch as long as it finds any number there, unless it has posted a tick: so
        // an old `Callback` is seen here only while that one is outstanding, and a nested loop gets it.
        let stays = goes_on && self.watched() == Watch::Callback;
        !stays && self.watch(Watch::Callback)
    }

    /// The host thread: callback `number` runs while other things wait; 0 when none does.
    pub(crate) fn set_callback(&self, number: u64) {
        self.callback.store(number, Ordering::Release);
    }

    pub(crate) fn callback(&self) -> u64 {
        self.callback.load(Ordering::Acquire)
    }

    /// Anyone: a post failed. True when the caller has to notify.
    #[must_use]
    pub(crate) fn fail(&self) -> bool {
        self.failed.swap(true, Ordering::AcqRel);
        self.interrupt()
    }

    /// The worker: takes the failure.
    pub(crate) fn take_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire) && self.failed.swap(false, Ordering::AcqRel)
    }

    /// The host thread: leaves a post to the worker. True when the caller has to notify.
    #[must_use]
    pub(crate) fn relay(&self) -> bool {
        self.relayed.swap(true, Ordering::AcqRel);
        self.interrupt()
    }

    /// The worker: takes the post that was left to it.
    pub(crate) fn take_relayed(&self) -> bool {
        self.relayed.load(Ordering::Acquire) && self.relayed.swap(false, Ordering::AcqRel)
    }

    /// The host thread: tells the worker to end. True when the caller has to notify.
    #[must_use]
    pub(crate) fn exit(&self) -> bool {
        self.exit.store(true, Ordering::Release);
        self.interrupt()
    }

    pub(crate) fn is_exiting(&self) -> bool {
        self.exit.load(Ordering::Acquire)
    }
}
