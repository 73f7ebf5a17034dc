//! The worker's watch over the host: a tick that was lost, a callback that opened a nested loop.
//!
//! It costs nothing while nothing is owed. A wake raises the watch; the worker looks after a while,
//! and goes on looking as long as there is something to see.

use std::sync::Arc;

use crate::builder::Options;
use crate::clock::{Nanos, nanos};
use crate::park::Watch;
use crate::proxy::Wake;
use crate::shared::Shared;
use crate::worker::{FOREVER, NOW};

/// The first back-off after a failed post.
const RETRY: Nanos = 1_000_000;
/// The longest.
const LONGEST_RETRY: Nanos = 1_000_000_000;
/// How many doublings the re-wake goes through at the most.
const REWAKE_DOUBLINGS: u32 = 6;

pub(crate) struct Watchdog {
    grace: Nanos,
    rewake_after: Nanos,
    /// The watch that the times below were planned for.
    watch: Watch,
    /// When to look again.
    look: Nanos,
    /// When to post again after a failed post, and the back-off that led there.
    retry: Nanos,
    backoff: Nanos,
    /// The turn count at the last failed post: a turn since then means that posts get through.
    failed_in: u64,
    /// When the pending wake counts as swallowed, and how often it did.
    rewake: Nanos,
    rewakes: u32,
    /// What the last look saw.
    turns: u64,
    callback: u64,
}

impl Watchdog {
    pub(crate) fn new(options: &Options) -> Watchdog {
        Watchdog {
            // A close watch must not look more rarely than a wide one.
            grace: nanos(options.grace.min(options.rewake_after)).max(1),
            rewake_after: nanos(options.rewake_after).max(1),
            watch: Watch::Off,
            look: FOREVER,
            retry: FOREVER,
            backoff: RETRY,
            failed_in: 0,
            rewake: FOREVER,
            rewakes: 0,
            turns: 0,
            callback: 0,
        }
    }

    /// Until when the worker may sleep for all the watchdog knows.
    pub(crate) fn until(&mut self, shared: &Shared) -> Nanos {
        let watch = shared.park.watched();
        if watch > self.watch {
            self.begin(shared, watch);
        }
        if shared.park.take_failed() && self.retry == FOREVER {
            self.plan_retry(shared);
        }
        if shared.park.take_relayed() {
            self.retry = NOW;
        }
        self.look.min(self.retry)
    }

    /// Looks at the host if it is time to.
    pub(crate) fn check(&mut self, shared: &Arc<Shared>, now: Nanos) {
        if now >= self.retry {
            self.retry = FOREVER;
            if shared.inbox.is_pending() {
                shared.counters.rewoken.add(1);
                shared.call_waker();
                shared.park.raise(Watch::Tick);
            }
        }
        if now >= self.look {
            self.look(shared, now);
        }
    }

    fn begin(&mut self, shared: &Shared, watch: Watch) {
        let now = shared.clock.now();
        if self.watch == Watch::Off {
            self.turns = shared.counters.turns.get();
            self.rewakes = 0;
            self.rewake = now.saturating_add(self.rewake_after);
        }
        if watch == Watch::Callback {
            self.callback = shared.park.callback();
        }
        self.watch = watch;
        self.look = now.saturating_add(self.interval(watch));
    }

    fn interval(&self, watch: Watch) -> Nanos {
        match watch {
            Watch::Off => FOREVER,
            Watch::Tick => self.rewake_after,
            Watch::Callback => self.grace,
        }
    }

    /// Ends the watch, sees what is owed, and goes on as closely as that asks for.
    fn look(&mut self, shared: &Arc<Shared>, now: Nanos) {
        shared.park.unwatch();
        let callback = shared.park.callback();
        let turns = shared.counters.turns.get();
        let moved = turns != self.turns;
        let pending = shared.inbox.is_pending();
        if callback != 0 && pending {
            // The turn that the outstanding tick begins is to see that the watch was lowered: docs/ordering.md.
            shared.wake();
        }
        let mut next = Watch::Off;
        if callback != 0 && callback == self.callback && !pending {
            // The same callback as a whole look ago, and things wait behind it: it may be running
            // a host loop of its own, to which a tick is the way in.
            shared.counters.nested_wakes.add(1);
            shared.wake();
            next = Watch::Tick;
        } else if callback != 0 && !pending {
            next = Watch::Callback;
        } else if pending && !moved {
            next = self.watch_tick(shared, now);
        } else if pending || moved {
            next = self.watch;
        }
        if moved {
            self.rewakes = 0;
            self.rewake = now.saturating_add(self.rewake_after);
        }
        self.turns = turns;
        self.callback = callback;
        self.watch = next;
        shared.park.raise(next);
        self.look = match next {
            Watch::Tick => self.rewake.max(now.saturating_add(NOW)),
            _ => now.saturating_add(self.interval(next)),
        };
    }

    /// The tick is still outstanding and no turn has run: once it is late enough, posts another.
    fn watch_tick(&mut self, shared: &Arc<Shared>, now: Nanos) -> Watch {
        if now >= self.rewake {
            if shared.call_waker() == Wake::Held {
                // Going live wakes.
                return Watch::Off;
            }
            shared.counters.rewoken.add(1);
            self.rewakes = (self.rewakes + 1).min(REWAKE_DOUBLINGS);
            self.rewake = now.saturating_add(self.rewake_after << self.rewakes);
        }
        Watch::Tick
    }

    fn plan_retry(&mut self, shared: &Shared) {
        let turns = shared.counters.turns.get();
        if turns != self.failed_in {
            self.failed_in = turns;
            self.backoff = RETRY;
        }
        self.retry = shared.clock.now().saturating_add(self.backoff);
        self.backoff = (self.backoff * 2).min(LONGEST_RETRY);
    }
}
