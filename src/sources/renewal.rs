//! A backend that reports what is nobody's.
//!
//! A descriptor that is closed behind our back cannot be taken out of an epoll set as long as a duplicate keeps its
//! object open, here or in a child process. By level, it then ends every wait at once, for ever. A wait of the host
//! thread begins when all that was removed has been deleted, so that an event for nobody gives it away, and the
//! backend makes a new set of what is left.

use std::rc::Rc;

use interloop_backends::{Kept, Mode};

use super::entry::{Entry, Mark};
use crate::core::Core;

/// What is reported by level is not told to the backend again while its callback asks for the same. So in one of this
/// many turns the backend is asked whether what it reports is still open.
const TURNS_TO_A_CHECK: u64 = 64;

/// For this many sources, a renewal costs about what a turn in vain does.
const SOURCES_TO_A_TURN: usize = 16;

impl Core {
    /// A source was reported: has the backend asked whether it is open, if it is time for that.
    pub(super) fn doubt_level(&self, entry: &mut Entry) {
        if entry.mode == Mode::Level && self.shared.counters.turns.get() % TURNS_TO_A_CHECK == 0 {
            entry.set(Mark::Doubted, true);
        }
    }

    /// A wait of this thread has reported what is nobody's. Has the backend renewed when that has cost as much as
    /// the renewal will.
    pub(crate) fn polled_in_vain(&self) {
        let vain = self.vain.get() + 1;
        self.vain.set(vain);
        if vain > self.sources.count() / SOURCES_TO_A_TURN {
            self.renew();
        }
    }

    /// Has the backend get rid of what it could not delete, unless it is lent.
    pub(super) fn renew(&self) {
        let poller = &self.shared.poller;
        if self.lent.get() || !poller.is_stuck() {
            return;
        }
        // What the worker has brought is disarmed.
        self.shared.inbox.fetch_events(|event| _ = self.enqueue(event));
        // Others that are closed, or another's by now, are found out first.
        for key in self.sources.keys() {
            self.sources.change(key, |entry| entry.set(Mark::Doubted, true));
        }
        self.flush_sources();
        let objects: Vec<_> = {
            let table = self.sources.table.borrow();
            let kept = |entry: &Entry| Some((Rc::clone(&entry.object), entry.renewable()?));
            table.iter().filter_map(|(key, entry)| Some((key, kept(entry)?))).collect()
        };
        let kept = objects.iter().map(|(key, (object, (interest, mode)))| Kept {
            source: object.source(),
            key: *key,
            interest: *interest,
            mode: *mode,
        });
        let (kept, mut events): (Vec<Kept<'_>>, _) = (kept.collect(), Vec::new());
        // Without descriptors or memory for it, the next wait in vain tries again.
        if poller.renew(&kept, &mut events).is_ok() {
            self.vain.set(0);
        }
        for event in events {
            self.enqueue(event);
        }
    }
}
