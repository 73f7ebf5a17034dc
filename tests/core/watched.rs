//! The backend of the world, in a wrapper that tells what its waits come to.

use std::io;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use interloop::backends::Event;
use interloop::{Builder, Poller};

use crate::forwarding::{Between, Forwarding};
use crate::world::{LIMIT, World};

/// A time that no case comes to: with it as a patience of the reactor, nothing but the wakes that
/// are necessary mends a wake that was lost, and the case hangs.
pub const NEVER: Duration = Duration::from_secs(3600);

pub type Watched = Forwarding<Watch>;

#[derive(Default)]
pub struct Watch {
    seen: Mutex<Seen>,
    changed: Condvar,
}

/// What the waits have come to.
#[derive(Clone, Copy, Default, Debug)]
pub struct Seen {
    pub begun: u64,
    pub ended: u64,
    /// How many events they have brought.
    pub events: usize,
    pub notified: u64,
    /// How many registrations were changed.
    pub modified: u64,
    /// How often the alarm was set.
    pub alarms: u64,
    /// How many threads waited at once, at the most.
    pub waiters: u64,
}

impl Seen {
    /// True when a thread waits, and what it brought before is in the inbox.
    pub fn is_waiting(&self) -> bool {
        self.begun > self.ended
    }
}

impl World {
    /// The backend of this world, watched, and a builder that takes it and has all patience.
    pub fn watched(&self) -> (Arc<Watched>, Builder) {
        let watched = Forwarding::open(self.backend, Watch::default());
        let poller = Arc::clone(&watched) as Arc<dyn Poller>;
        (watched, self.patient().poller(poller))
    }

    /// A builder with all patience: no wake is repeated, no callback is taken for a nested loop,
    /// and only its count of items ends a turn.
    pub fn patient(&self) -> Builder {
        self.builder()
            .rewake_after(NEVER)
            .nested_grace(NEVER)
            .slow_callback(NEVER)
            .turn_budget(1_000_000, NEVER)
    }
}

impl Watch {
    pub fn seen(&self) -> Seen {
        *self.seen.lock().unwrap()
    }

    /// Waits until the waits have come to something.
    pub fn until(&self, done: impl Fn(Seen) -> bool) -> Seen {
        let limit = Instant::now() + LIMIT;
        let mut seen = self.seen.lock().unwrap();
        while !done(*seen) {
            let left = limit.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "hangs: {seen:?}");
            seen = self.changed.wait_timeout(seen, left).unwrap().0;
        }
        *seen
    }

    fn change(&self, change: impl FnOnce(&mut Seen)) {
        change(&mut self.seen.lock().unwrap());
        self.changed.notify_all();
    }
}

impl Between for Watch {
    fn wait(
        &self,
        events: &mut Vec<Event>,
        wait: impl FnOnce(&mut Vec<Event>) -> io::Result<()>,
    ) -> io::Result<()> {
        self.change(|seen| {
            seen.begun += 1;
            seen.waiters = seen.waiters.max(seen.begun - seen.ended);
        });
        let before = events.len();
        let result = wait(events);
        self.change(|seen| {
            seen.ended += 1;
            seen.events += events.len() - before;
        });
        result
    }

    fn modifies(&self) {
        self.change(|seen| seen.modified += 1);
    }

    fn notifies(&self) {
        self.change(|seen| seen.notified += 1);
    }

    fn sets_alarm(&self) {
        self.change(|seen| seen.alarms += 1);
    }
}
