//! How the backend hears of what is wanted.

use std::rc::Rc;

use interloop_backends::{Event, Interest, Key, Mode, Readiness};

use super::entry::{Entry, Mark};
use super::object::Watched;
use crate::core::{Core, Drive};
use crate::report::Report;

impl Core {
    /// Arms a source for `interest` besides what it is armed for. True unless the source is lost;
    /// None when it is gone.
    pub(crate) fn arm(self: &Rc<Core>, key: Key, interest: Interest) -> Option<bool> {
        self.change_source(key, |entry| entry.arm(interest))
    }

    /// Disarms the callback of a source. False when it is gone.
    pub(crate) fn disarm(self: &Rc<Core>, key: Key) -> bool {
        self.change_source(key, Entry::disarm).is_some()
    }

    /// Changes what a source wants: the backend hears of it at the end of the turn, or at once outside one.
    pub(super) fn change_source<R>(
        self: &Rc<Core>,
        key: Key,
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        let (changed, marked) = self.sources.change(key, change);
        if marked {
            self.settle();
        }
        changed
    }

    /// Takes over what those want who wait for what a source remembers.
    #[cfg(feature = "net")]
    pub(crate) fn want(self: &Rc<Core>, key: Key, wanted: Interest) {
        self.change_source(key, |entry| entry.waited = wanted);
    }

    /// Tells the backend about every source that was marked. What is found ready is in line for a turn then,
    /// and not told.
    pub(crate) fn flush_sources(&self) {
        let sources = self.sources.dirty.borrow().len();
        if sources == 0 {
            return;
        }
        let looks = self.drive.get() == Drive::Interleaved
            && self.sources.looks.may_begin(sources)
            && self.shared.poller.reports_what_poll_does();
        let found = self.flush_each(looks);
        self.sources.looks.end(found);
    }

    /// Tells the backend, after a look if that is allowed. True when one has found something.
    fn flush_each(&self, looks: bool) -> bool {
        let mut found = false;
        loop {
            let next = self.sources.dirty.borrow_mut().pop_front();
            let Some(key) = next else { return found };
            let change = self.sources.with(key, |entry| {
                entry.set(Mark::Dirty, false);
                let changed = entry.is_out_of_date();
                // Of one that is doubted, the backend is to say whether it is open.
                let can_wait = entry.held.is_none() && !entry.is(Mark::Doubted);
                entry.set(Mark::Doubted, false);
                changed.then(|| {
                    (entry.held, entry.mode) = (entry.wanted(), self.mode(entry));
                    (Rc::clone(&entry.object), can_wait, entry.held, entry.mode)
                })
            });
            let Some(Some((object, can_wait, wanted, mode))) = change else { continue };
            let may_look = looks && can_wait && mode == Mode::Oneshot;
            if may_look && self.finds_ready(key, &object, wanted) {
                found = true;
                continue;
            }
            if let Err(error) = self.shared.poller.modify(object.source(), key, wanted, mode) {
                let label = self.sources.label(key).map_or_else(String::new, |l| l.to_string());
                self.shared.report(&Report::SourceLost { label: &label, error: &error });
                // The source hears of it in a turn.
                self.enqueue(Event::Ready { key, readiness: Readiness::INVALID });
            }
            self.backend_changed();
        }
    }

    /// Looks at a source that would be armed. True when it is ready, and stands in line.
    fn finds_ready(&self, key: Key, object: &Rc<dyn Watched>, wanted: Interest) -> bool {
        // One that remembers what it is ready for waits because an operation has found nothing.
        if object.cache().is_some() || wanted.is_none() || !self.sources.looks.is_due() {
            return false;
        }
        let readiness = interloop_backends::look(object.source(), wanted).unwrap_or_default();
        // What was closed behind our back, the backend tells.
        let is_found = !readiness.is_none() && !readiness.is_invalid();
        self.sources.looks.found(is_found);
        if is_found {
            self.sources.with(key, |entry| entry.held = Interest::NONE);
            self.enqueue(Event::Ready { key, readiness });
        }
        is_found
    }

    /// How the backend should report a source. A worker that polls what is true spins on it until the host
    /// has answered; where the host thread itself polls, it has answered before it polls again. What is reported by
    /// level may have to be got rid of by a renewal, which a set that is lent does not allow. Who waits by a future
    /// waits once.
    pub(super) fn mode(&self, entry: &Entry) -> Mode {
        let polls_itself =
            matches!(self.drive.get(), Drive::Embedded | Drive::Running) && !self.lent.get();
        match entry.object.cache() {
            Some(cache) => cache.mode(),
            None if polls_itself && entry.waited.is_none() && self.shared.poller.has_levels() => {
                Mode::Level
            }
            None => Mode::Oneshot,
        }
    }

    /// Puts an end to level-triggered reports, for a drive in which a worker polls, or the set cannot be renewed.
    pub(crate) fn end_levels(&self) {
        self.flush_sources();
        for key in self.sources.keys() {
            self.sources.change(key, |entry| {
                if entry.mode == Mode::Level {
                    entry.held = Interest::NONE;
                }
            });
        }
        self.flush_sources();
        // A level that nobody can end would never let the worker wait.
        self.renew();
    }

    pub(super) fn backend_changed(&self) {
        if !self.shared.poller.applies_at_once() {
            self.sources.unapplied.set(true);
        }
    }
}
