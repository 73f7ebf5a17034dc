//! What the reactor knows of one source.

use std::rc::Rc;

use interloop_backends::{Interest, Mode, Readiness};

use super::object::Watched;
use crate::action::Action;
use crate::label::Label;

/// A source in the table. Small, as there may be very many: what only some of them have is with the object.
pub(crate) struct Entry {
    pub(super) object: Rc<dyn Watched>,
    pub(super) label: Label,
    /// What the callback is armed for.
    armed: Interest,
    /// What `Rearm` arms for.
    rearm: Interest,
    /// What those want who wait by futures.
    pub(super) waited: Interest,
    /// What the backend holds, and how it reports it.
    pub(super) held: Interest,
    pub(super) mode: Mode,
    /// What of that stays with the backend while the callback runs, which will most likely be armed for
    /// the same again: where reports are level-triggered, until one comes in vain.
    kept: Interest,
    /// What was reported and not dispatched yet: while there is something, the source is in the queue.
    reported: Readiness,
    marks: Marks,
}

/// What is true of an entry.
#[derive(Clone, Copy)]
pub(super) enum Mark {
    /// Its callback is on the stack.
    Running = 1,
    /// It is in line for the next flush.
    Dirty = 2,
    /// The descriptor was closed behind our back, or the backend is dead.
    Lost = 4,
    /// The user has let go of the handle.
    Detached = 8,
    /// Removed, and not released by the backend: the object stays open.
    Limbo = 16,
    /// The backend is to be asked whether it is still open.
    Doubted = 32,
}

/// The marks of an entry, a bit each, where as many bools would make each entry a word longer.
#[derive(Clone, Copy)]
struct Marks(u8);

impl Entry {
    /// One that the backend does not know yet.
    pub(super) fn new(object: Rc<dyn Watched>, interest: Interest, label: Label) -> Entry {
        let waited = object.cache().map_or(Interest::NONE, |cache| cache.tell());
        Entry {
            object,
            label,
            armed: interest,
            rearm: interest,
            waited,
            held: Interest::NONE,
            mode: Mode::Oneshot,
            kept: Interest::NONE,
            reported: Readiness::NONE,
            marks: Marks(0),
        }
    }

    pub(super) fn is(&self, mark: Mark) -> bool {
        self.marks.0 & mark as u8 != 0
    }

    pub(super) fn set(&mut self, mark: Mark, on: bool) {
        let others = self.marks.0 & !(mark as u8);
        self.marks.0 = if on { others | mark as u8 } else { others };
    }

    /// What the backend should hold.
    pub(super) fn wanted(&self) -> Interest {
        // A callback that runs is not entered again: its interest waits for its return.
        let own = if self.is(Mark::Running) { self.kept } else { self.armed };
        own | self.waited
    }

    /// True when the backend should be told something.
    pub(super) fn is_out_of_date(&self) -> bool {
        (self.wanted() != self.held || self.is(Mark::Doubted)) && !self.is(Mark::Lost)
    }

    /// Notes that the backend should be told something, unless that is noted or it holds what it should.
    pub(super) fn mark(&mut self) -> bool {
        let changed = self.is_out_of_date() && !self.is(Mark::Dirty);
        if changed {
            self.set(Mark::Dirty, true);
        }
        changed
    }

    /// Takes a report in. True for the first since the last were dispatched.
    pub(super) fn report(&mut self, readiness: Readiness) -> bool {
        let first = self.reported.is_none();
        self.reported |= readiness;
        first
    }

    /// What was reported has gone to those who wait, who want this from here on. True as of [`mark`](Entry::mark).
    #[inline]
    pub(super) fn pass_on(&mut self, readiness: Readiness, wanted: Interest) -> bool {
        // An edge leaves the backend what it holds.
        if self.mode == Mode::Edge && self.waited == wanted && !readiness.is_invalid() {
            return false;
        }
        self.reported = readiness;
        self.take_reported();
        self.waited = wanted;
        self.mark()
    }

    /// What a renewal is to keep of it. None for one that is lost, or will hear so.
    pub(super) fn renewable(&self) -> Option<(Interest, Mode)> {
        if self.is(Mark::Limbo) || self.is(Mark::Lost) || self.reported.is_invalid() {
            return None;
        }
        // What was reported once is disarmed, as its dispatch will find.
        let spent = self.mode == Mode::Oneshot && !self.reported.is_none();
        Some((if spent { Interest::NONE } else { self.held }, self.mode))
    }

    /// Takes what was reported, and draws the conclusions as to what the backend holds.
    pub(super) fn take_reported(&mut self) -> Readiness {
        let readiness = std::mem::take(&mut self.reported);
        if readiness.is_invalid() {
            self.set(Mark::Lost, true);
        }
        if self.mode == Mode::Oneshot {
            self.held = Interest::NONE;
        }
        // A callback that runs has no use for it: kept on, it would be reported all the time in a loop
        // that the callback has opened.
        self.kept = Interest::NONE;
        readiness
    }

    /// Lets a future wait for the next event, and returns its number. None when that would be in vain.
    pub(super) fn add_waiter(&mut self, interest: Interest) -> Option<u64> {
        if self.is(Mark::Lost) {
            return None;
        }
        let id = self.object.waiters()?.add(interest);
        self.count_waiters();
        Some(id)
    }

    /// Takes over what those want who wait for the next event.
    pub(super) fn count_waiters(&mut self) {
        self.waited = self.object.waiters().map_or(Interest::NONE, |waiters| waiters.wanted());
    }

    /// Arms the callback for `interest`, besides what it is armed for. True unless the source is lost.
    pub(super) fn arm(&mut self, interest: Interest) -> bool {
        self.armed |= interest;
        // A callback that runs is armed for nothing, and `Rearm` still means what it was.
        let before = if self.is(Mark::Running) { self.rearm } else { Interest::NONE };
        self.rearm = before | self.armed;
        !self.is(Mark::Lost)
    }

    pub(super) fn disarm(&mut self) {
        self.armed = Interest::NONE;
    }

    /// The object whose callback is to be called, if it is armed for this. One that is on the stack is
    /// armed again when it returns, and hears of it then.
    pub(super) fn enter(&mut self, readiness: Readiness) -> Option<Rc<dyn Watched>> {
        if readiness.answers(self.armed).is_none() || self.is(Mark::Running) {
            return None;
        }
        self.set(Mark::Running, true);
        self.armed = Interest::NONE;
        self.kept = if self.mode == Mode::Level { self.held } else { Interest::NONE };
        Some(Rc::clone(&self.object))
    }

    /// The callback has returned, and answered with `action`.
    pub(super) fn leave(&mut self, action: Action) {
        self.set(Mark::Running, false);
        match action {
            Action::Rearm => self.armed |= self.rearm,
            Action::RearmFor(interest) => (self.armed, self.rearm) = (interest, interest),
            Action::Disarm => self.armed = Interest::NONE,
            Action::Remove => {}
        }
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_three_words_and_eight_bytes() {
        assert_eq!(size_of::<Option<Entry>>(), 3 * size_of::<usize>() + 8);
    }
}
