//! The registered sources, on the host thread.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use interloop_backends::{AsSource, Event, Interest, Key, Mode, Readiness, Release};

use crate::action::Action;
use crate::cache::Cache;
use crate::core::{Core, Drive};
use crate::label::Label;
use crate::report::Report;
use crate::slots::Slots;
use crate::stats::count;

/// The callback of a source, with its object inside.
pub(crate) type Callback = Box<dyn FnMut(Readiness) -> Action>;

pub(crate) struct Sources {
    table: RefCell<Slots<Slot>>,
    /// Sources whose armed interest may differ from what the backend holds.
    dirty: RefCell<VecDeque<Key>>,
    /// True when the backend holds changes that it applies at its next wait.
    unapplied: Cell<bool>,
    closed: Cell<bool>,
}

/// What waits for its place in a turn.
#[derive(Clone, Copy)]
pub(crate) enum Ready {
    /// A source was reported: its entry knows what for.
    Source(Key),
    /// The backend has let go of a removed source.
    Released(Key),
}

pub(crate) enum Slot {
    Live(Entry),
    /// Removed, and not released by the backend: the object stays open.
    Limbo {
        io: Rc<dyn AsSource>,
        label: Label,
    },
}

pub(crate) struct Entry {
    io: Rc<dyn AsSource>,
    label: Label,
    /// None while it runs, and for a source without one.
    callback: Option<Callback>,
    running: bool,
    /// What the callback is armed for.
    armed: Interest,
    /// What `Rearm` arms for.
    rearm: Interest,
    /// What the backend holds, and how it reports it.
    held: Interest,
    mode: Mode,
    /// What of that stays with the backend while the callback runs, which will most likely be armed for
    /// the same again: where reports are level-triggered, until one comes in vain.
    kept: Interest,
    dirty: bool,
    /// What was reported and not dispatched yet: while there is something, the source is in the queue.
    reported: Readiness,
    /// The descriptor was closed behind our back, or the backend is dead.
    lost: bool,
    waiters: Vec<Waiter>,
    /// For a source that remembers what it is ready for: boxed, as the others have no use for it.
    cache: Option<Box<Cache>>,
}

/// Who hears of what happened to a source.
enum Hears {
    /// Its callback, if it is armed for that and does not run already.
    Callback(Option<Callback>),
    /// Those who wait, and the callback.
    Waiters,
    /// Those who wait for what the source remembers.
    Cached,
}

/// A future that waits for readiness.
struct Waiter {
    id: u64,
    interest: Interest,
    /// What came; the waiter waits while this is nothing.
    came: Readiness,
    waker: Option<Waker>,
}

impl Entry {
    fn new(io: Rc<dyn AsSource>, label: Label) -> Entry {
        Entry {
            io,
            label,
            callback: None,
            running: false,
            armed: Interest::NONE,
            rearm: Interest::NONE,
            held: Interest::NONE,
            mode: Mode::Oneshot,
            kept: Interest::NONE,
            dirty: false,
            reported: Readiness::NONE,
            lost: false,
            waiters: Vec::new(),
            cache: None,
        }
    }

    /// What the backend should hold.
    fn wanted(&self) -> Interest {
        if let Some(cache) = &self.cache {
            return cache.wanted();
        }
        // A callback that runs is not entered again: its interest waits for its return.
        let own = if self.running { self.kept } else { self.armed };
        let waiting = self.waiters.iter().filter(|waiter| waiter.came.is_none());
        waiting.fold(own, |all, waiter| all | waiter.interest)
    }

    /// Notes that the backend should be told something, unless that is noted or it holds what it should.
    fn mark(&mut self) -> bool {
        let changed = self.wanted() != self.held && !self.lost && !self.dirty;
        self.dirty |= changed;
        changed
    }

    /// Takes what was reported, and draws the conclusions as to what the backend holds.
    fn take_reported(&mut self) -> Readiness {
        let readiness = std::mem::take(&mut self.reported);
        self.lost |= readiness.is_invalid();
        if self.mode == Mode::Oneshot {
            self.held = Interest::NONE;
        }
        // A callback that runs has no use for it: kept on, it would be reported all the time in a loop
        // that the callback has opened.
        self.kept = Interest::NONE;
        readiness
    }

    /// Takes the callback out to be called, if it is armed for this. One that is on the stack is armed again
    /// when it returns, and hears of it then.
    fn enter(&mut self, readiness: Readiness) -> Option<Callback> {
        if readiness.answers(self.armed).is_none() {
            return None;
        }
        let callback = self.callback.take()?;
        self.running = true;
        self.armed = Interest::NONE;
        self.kept = if self.mode == Mode::Level { self.held } else { Interest::NONE };
        Some(callback)
    }

    /// Puts the callback back, which answered with `action`.
    fn leave(&mut self, callback: Option<Callback>, action: Action) {
        self.running = false;
        self.callback = callback;
        match action {
            Action::Rearm => self.armed |= self.rearm,
            Action::RearmFor(interest) => (self.armed, self.rearm) = (interest, interest),
            Action::Disarm => self.armed = Interest::NONE,
            Action::Remove => {}
        }
    }
}

/// One line of [`Dump`](crate::Dump).
pub(crate) struct Seen {
    pub(crate) label: Label,
    pub(crate) number: u64,
    pub(crate) interest: Interest,
    pub(crate) lost: bool,
    pub(crate) limbo: bool,
}

impl Sources {
    pub(crate) fn new() -> Sources {
        Sources {
            table: RefCell::new(Slots::new()),
            dirty: RefCell::new(VecDeque::new()),
            unapplied: Cell::new(false),
            closed: Cell::new(false),
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.get()
    }

    pub(crate) fn is_dirty(&self) -> bool {
        self.unapplied.get() || !self.dirty.borrow().is_empty()
    }

    pub(crate) fn take_unapplied(&self) -> bool {
        self.unapplied.replace(false)
    }

    pub(crate) fn next_key(&self) -> Key {
        self.table.borrow().next_key()
    }

    /// Takes the object of a removed source out, which the backend has released.
    pub(crate) fn release(&self, key: Key) -> Option<Slot> {
        self.table.borrow_mut().remove(key)
    }

    /// Leaves all objects open for ever.
    pub(crate) fn leak(&self) {
        std::mem::forget(self.table.borrow_mut().drain());
    }

    /// The sources that are not in limbo.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let table = self.table.borrow();
        table.iter().filter(|(_, slot)| matches!(slot, Slot::Live(_))).map(|(key, _)| key).collect()
    }

    pub(crate) fn is_live(&self, key: Key) -> bool {
        self.with(key, |_| ()).is_some()
    }

    /// True for a source that was registered with a callback. None when it is gone.
    pub(crate) fn has_callback(&self, key: Key) -> Option<bool> {
        self.with(key, |entry| entry.callback.is_some() || entry.running)
    }

    pub(crate) fn set_label(&self, key: Key, label: Label) {
        self.with(key, |entry| entry.label = label);
    }

    pub(crate) fn label(&self, key: Key) -> Option<Label> {
        self.with(key, |entry| entry.label.clone())
    }

    pub(crate) fn see(&self) -> Vec<Seen> {
        let table = self.table.borrow();
        let see = |slot: &Slot| match slot {
            Slot::Live(entry) => Seen {
                label: entry.label.clone(),
                number: interloop_backends::source_number(entry.io.as_source()),
                interest: entry.wanted(),
                lost: entry.lost,
                limbo: false,
            },
            Slot::Limbo { io, label } => Seen {
                label: label.clone(),
                number: interloop_backends::source_number(io.as_source()),
                interest: Interest::NONE,
                lost: false,
                limbo: true,
            },
        };
        table.iter().map(|(_, slot)| see(slot)).collect()
    }

    /// Looks at what a source remembers. None when it is gone, or lost.
    #[cfg(feature = "net")]
    pub(crate) fn with_cache<R>(&self, key: Key, look: impl FnOnce(&mut Cache) -> R) -> Option<R> {
        self.with(key, |entry| entry.cache.as_deref_mut().filter(|_| !entry.lost).map(look))
            .flatten()
    }

    fn with<R>(&self, key: Key, look: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        match self.table.borrow_mut().get_mut(key) {
            Some(Slot::Live(entry)) => Some(look(entry)),
            Some(Slot::Limbo { .. }) | None => None,
        }
    }

    /// Puts a source in line for the next flush, unless the backend holds what it should.
    fn mark(&self, key: Key) -> bool {
        let marked = self.with(key, Entry::mark) == Some(true);
        if marked {
            self.dirty.borrow_mut().push_back(key);
        }
        marked
    }
}

impl Core {
    /// Registers an object, without its callback yet.
    pub(crate) fn add_source(
        self: &Rc<Core>,
        io: &Rc<impl AsSource + 'static>,
        interest: Interest,
        cache: Option<Cache>,
        label: Label,
    ) -> std::io::Result<Key> {
        let key = self.sources.next_key();
        let mut entry = Entry::new(Rc::clone(io) as Rc<dyn AsSource>, label);
        (entry.armed, entry.rearm, entry.cache) = (interest, interest, cache.map(Box::new));
        (entry.held, entry.mode) = (entry.wanted(), self.mode(&entry));
        self.shared.poller.add(io.as_source(), key, entry.held, entry.mode)?;
        self.sources.table.borrow_mut().insert(Slot::Live(entry));
        self.backend_changed();
        self.settle();
        Ok(key)
    }

    /// Gives a source its callback.
    pub(crate) fn set_callback(&self, key: Key, callback: Option<Callback>) {
        self.sources.with(key, |entry| entry.callback = callback);
    }

    /// Arms a source for `interest` besides what it is armed for. True unless the source is lost;
    /// None when it is gone.
    pub(crate) fn arm(self: &Rc<Core>, key: Key, interest: Interest) -> Option<bool> {
        let armed = self.sources.with(key, |entry| {
            entry.armed |= interest;
            // A callback that runs is armed for nothing, and `Rearm` still means what it was.
            let before = if entry.running { entry.rearm } else { Interest::NONE };
            entry.rearm = before | entry.armed;
            !entry.lost
        });
        self.source_changed(key);
        armed
    }

    /// Disarms the callback of a source. False when it is gone.
    pub(crate) fn disarm(self: &Rc<Core>, key: Key) -> bool {
        let disarmed = self.sources.with(key, |entry| entry.armed = Interest::NONE);
        self.source_changed(key);
        disarmed.is_some()
    }

    /// Takes a source out. Its object is closed as soon as the backend has let go of it.
    pub(crate) fn remove_source(self: &Rc<Core>, key: Key) {
        let found = self.sources.with(key, |entry| (Rc::clone(&entry.io), entry.label.clone()));
        let Some((io, label)) = found else { return };
        // A forked child must not touch the set that it shares with its parent.
        let release = if self.shared.process.is_current() {
            self.shared.poller.delete(io.as_source(), key)
        } else {
            Release::Now
        };
        // Without a worker nobody is waiting while this thread is here.
        let release = if self.is_worker_waiting() { release } else { Release::Now };
        let removed = {
            let mut table = self.sources.table.borrow_mut();
            match release {
                Release::Now => table.remove(key),
                Release::Later => {
                    let limbo = Slot::Limbo { io, label };
                    table.get_mut(key).map(|slot| std::mem::replace(slot, limbo))
                }
            }
        };
        self.backend_changed();
        // Callback, object and waiters are user code: they go once the borrow has ended.
        if let Some(Slot::Live(mut entry)) = removed {
            let cached = entry.cache.take().into_iter().flat_map(|cache| cache.into_wakers());
            let waiters = entry.waiters.drain(..).filter_map(|waiter| waiter.waker);
            waiters.chain(cached).for_each(|waker| self.wake_user(waker));
        }
        self.settle();
    }

    /// Removes all sources, and takes no more.
    pub(crate) fn close_sources(self: &Rc<Core>) {
        self.sources.closed.set(true);
        for key in self.sources.keys() {
            // What a callback captured is the user's, and may panic when it is dropped.
            self.call_user(|_| None, || self.remove_source(key));
        }
    }

    /// Closes the objects in limbo: the backend does not wait any more.
    pub(crate) fn empty_limbo(&self) {
        let all = self.sources.table.borrow_mut().drain();
        drop(all);
    }

    /// Puts what a wait has reported in line. A source stands there once, however often it is reported.
    pub(crate) fn enqueue(&self, event: Event) {
        let next = match event {
            Event::Released { key } => Ready::Released(key),
            Event::Ready { key, readiness } => {
                let before = self.sources.with(key, |entry| {
                    let before = entry.reported;
                    entry.reported |= readiness;
                    before
                });
                match before {
                    Some(before) if before.is_none() => {
                        count(&self.counters.fresh);
                        Ready::Source(key)
                    }
                    Some(_) => return,
                    None => return count(&self.counters.stale),
                }
            }
        };
        self.ready.borrow_mut().push_back(next);
    }

    /// Delivers what happened to a source.
    pub(crate) fn dispatch(self: &Rc<Core>, key: Key) {
        let taken = self.sources.with(key, |entry| {
            let readiness = entry.take_reported();
            let hears = match &mut entry.cache {
                Some(cache) => {
                    cache.ready(readiness);
                    Hears::Cached
                }
                None if entry.waiters.is_empty() => Hears::Callback(entry.enter(readiness)),
                None => Hears::Waiters,
            };
            (readiness, hears)
        });
        let Some((readiness, hears)) = taken else { return count(&self.counters.stale) };
        let callback = match hears {
            Hears::Callback(callback) => callback,
            Hears::Cached => {
                count(&self.counters.events);
                self.wake_cached(key);
                self.sources.mark(key);
                return;
            }
            Hears::Waiters => {
                let woken = self.wake_waiters(key, readiness);
                // Asked for when they have been woken: a waker is user code.
                let callback = self.sources.with(key, |entry| entry.enter(readiness)).flatten();
                if callback.is_none() && woken {
                    self.sources.mark(key);
                    return;
                }
                callback
            }
        };
        match callback {
            Some(callback) => self.run_callback(key, callback, readiness),
            None => {
                count(&self.counters.stale);
                self.sources.mark(key);
            }
        }
    }

    /// Starts a wait for readiness, and returns its number. None when it would be in vain.
    pub(crate) fn add_waiter(self: &Rc<Core>, key: Key, interest: Interest) -> Option<u64> {
        let id = self.sources.with(key, |entry| {
            if entry.lost {
                return None;
            }
            let id = entry.waiters.last().map_or(0, |last| last.id + 1);
            entry.waiters.push(Waiter { id, interest, came: Readiness::NONE, waker: None });
            Some(id)
        })?;
        self.source_changed(key);
        id
    }

    /// What came for a waiter, which is over with it; None when the source is gone.
    pub(crate) fn poll_waiter(&self, key: Key, id: u64, waker: &Waker) -> Option<Readiness> {
        // Cloned before the borrow, and the old one dropped after it: wakers are user code.
        let mut waker = Some(waker.clone());
        self.sources.with(key, |entry| {
            let at = entry.waiters.iter().position(|waiter| waiter.id == id)?;
            let came = entry.waiters[at].came;
            if came.is_none() {
                std::mem::swap(&mut entry.waiters[at].waker, &mut waker);
            } else {
                entry.waiters.remove(at);
            }
            Some(came)
        })?
    }

    pub(crate) fn remove_waiter(self: &Rc<Core>, key: Key, id: u64) {
        let removed = self.sources.with(key, |entry| {
            let at = entry.waiters.iter().position(|waiter| waiter.id == id);
            at.map(|at| entry.waiters.remove(at))
        });
        drop(removed);
        self.source_changed(key);
    }

    /// Tells the backend about every source that was marked.
    pub(crate) fn flush_sources(&self) {
        loop {
            let next = self.sources.dirty.borrow_mut().pop_front();
            let Some(key) = next else { return };
            let change = self.sources.with(key, |entry| {
                entry.dirty = false;
                let wanted = entry.wanted();
                let changed = wanted != entry.held && !entry.lost;
                changed.then(|| {
                    (entry.held, entry.mode) = (wanted, self.mode(entry));
                    (Rc::clone(&entry.io), wanted, entry.mode)
                })
            });
            let Some(Some((io, wanted, mode))) = change else { continue };
            if let Err(error) = self.shared.poller.modify(io.as_source(), key, wanted, mode) {
                let label = self.sources.label(key).map_or_else(String::new, |l| l.to_string());
                self.shared.report(&Report::SourceLost { label: &label, error: &error });
                // The source hears of it in a turn.
                self.enqueue(Event::Ready { key, readiness: Readiness::INVALID });
            }
            self.backend_changed();
        }
    }

    /// How the backend should report a source. A worker that polls what is true spins on it until the host
    /// has answered; where the host thread itself polls, it has answered before it polls again. Who waits
    /// by a future waits once.
    fn mode(&self, entry: &Entry) -> Mode {
        let polls_itself = matches!(self.drive.get(), Drive::Embedded | Drive::Running);
        match &entry.cache {
            Some(cache) => cache.mode(),
            None if polls_itself && entry.waiters.is_empty() && self.shared.poller.has_levels() => {
                Mode::Level
            }
            None => Mode::Oneshot,
        }
    }

    /// Puts an end to level-triggered reports, for a drive in which a worker polls.
    pub(crate) fn end_levels(&self) {
        self.flush_sources();
        for key in self.sources.keys() {
            self.sources.with(key, |entry| {
                if entry.mode == Mode::Level {
                    entry.held = Interest::NONE;
                }
            });
            self.sources.mark(key);
        }
        self.flush_sources();
    }

    pub(crate) fn source_changed(self: &Rc<Core>, key: Key) {
        if self.sources.mark(key) {
            self.settle();
        }
    }

    fn backend_changed(&self) {
        if !self.shared.poller.applies_at_once() {
            self.sources.unapplied.set(true);
        }
    }

    /// Wakes those who wait for this readiness, each with no borrow held. True when there were any.
    fn wake_waiters(&self, key: Key, readiness: Readiness) -> bool {
        let mut woken = false;
        loop {
            let next = self.sources.with(key, |entry| {
                let answered = |waiter: &&mut Waiter| {
                    waiter.came.is_none() && !readiness.answers(waiter.interest).is_none()
                };
                let waiter = entry.waiters.iter_mut().find(answered)?;
                waiter.came = readiness;
                Some(waiter.waker.take())
            });
            let Some(Some(waker)) = next else { return woken };
            woken = true;
            waker.into_iter().for_each(|waker| self.wake_user(waker));
        }
    }

    /// Wakes those whose wait on a source that remembers is over, each with no borrow held.
    fn wake_cached(&self, key: Key) {
        let next = || self.sources.with(key, |entry| entry.cache.as_mut()?.next_waker()).flatten();
        while let Some(waker) = next() {
            self.wake_user(waker);
        }
    }

    fn run_callback(self: &Rc<Core>, key: Key, mut callback: Callback, readiness: Readiness) {
        count(&self.counters.events);
        let action = self.call_user(|core| core.sources.label(key), || callback(readiness));
        let action = action.unwrap_or(Action::Remove);
        let mut callback = Some(callback);
        let marked = self.sources.with(key, |entry| {
            entry.leave(callback.take(), action);
            action != Action::Remove && entry.mark()
        });
        if marked == Some(true) {
            self.sources.dirty.borrow_mut().push_back(key);
        }
        if action == Action::Remove {
            // What the callback captured is user code, and so is the object.
            self.call_user(|_| None, || self.remove_source(key));
        }
    }
}
