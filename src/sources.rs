//! The registered sources, on the host thread.

mod changes;
mod delivery;
mod entry;
mod looks;
mod object;
mod registration;
mod renewal;
mod waiters;

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::task::Waker;

use interloop_backends::{Interest, Key};

use crate::label::Label;
use crate::slots::Slots;
use entry::{Entry, Mark};
use looks::Looks;
pub(crate) use object::{Lent, Listener, Object, Watched};
pub(crate) use registration::{Registered, Registration};

pub(crate) struct Sources {
    table: RefCell<Slots<Entry>>,
    /// Sources whose armed interest may differ from what the backend holds.
    dirty: RefCell<VecDeque<Key>>,
    /// True when the backend holds changes that it applies at its next wait.
    unapplied: Cell<bool>,
    closed: Cell<bool>,
    looks: Looks,
}

/// What waits for its place in a turn.
pub(crate) enum Ready {
    /// A source was reported: its entry knows what for.
    Source(Key),
    /// A source remembers what this one waits for.
    Wake(Waker),
    /// The backend has let go of a removed source.
    Released(Key),
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
            looks: Looks::new(),
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

    /// Takes the object of a removed source out, which the backend has released. To drop it is to run user
    /// code.
    pub(crate) fn release(&self, key: Key) -> Option<impl Sized + use<>> {
        self.table.borrow_mut().remove(key)
    }

    /// Leaves all objects open for ever.
    pub(crate) fn leak(&self) {
        std::mem::forget(self.table.borrow_mut().drain());
    }

    /// The sources that are not in limbo.
    pub(crate) fn keys(&self) -> Vec<Key> {
        let table = self.table.borrow();
        table.iter().filter(|(_, entry)| !entry.is(Mark::Limbo)).map(|(key, _)| key).collect()
    }

    /// Those in limbo.
    fn in_limbo(&self) -> Vec<Key> {
        let table = self.table.borrow();
        table.iter().filter(|(_, entry)| entry.is(Mark::Limbo)).map(|(key, _)| key).collect()
    }

    /// How many there are, with those in limbo.
    fn count(&self) -> usize {
        self.table.borrow().len()
    }

    pub(crate) fn is_live(&self, key: Key) -> bool {
        self.with(key, |_| ()).is_some()
    }

    /// True for a source that was registered with a callback. None when it is gone.
    pub(crate) fn has_callback(&self, key: Key) -> Option<bool> {
        self.with(key, |entry| entry.object.has_callback())
    }

    pub(crate) fn set_label(&self, key: Key, label: Label) {
        self.with(key, |entry| entry.label = label);
    }

    pub(crate) fn label(&self, key: Key) -> Option<Label> {
        self.with(key, |entry| entry.label.clone())
    }

    pub(crate) fn see(&self) -> Vec<Seen> {
        let see = |entry: &Entry| {
            let limbo = entry.is(Mark::Limbo);
            let seen = Seen {
                label: entry.label.clone(),
                number: 0,
                interest: if limbo { Interest::NONE } else { entry.wanted() },
                lost: entry.is(Mark::Lost),
                limbo,
            };
            (seen, Rc::clone(&entry.object))
        };
        let all: Vec<_> = self.table.borrow().iter().map(|(_, entry)| see(entry)).collect();
        // What tells the descriptor is user code: nothing is borrowed.
        let number = |(seen, object): (Seen, Rc<dyn Watched>)| {
            let number = interloop_backends::source_number(object.source());
            Seen { number, ..seen }
        };
        all.into_iter().map(number).collect()
    }

    #[inline]
    fn with<R>(&self, key: Key, look: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        match self.table.borrow_mut().get_mut(key) {
            Some(entry) if !entry.is(Mark::Limbo) => Some(look(entry)),
            _ => None,
        }
    }

    /// As [`with`](Sources::with), and puts the source in line for the next flush, unless it stands there
    /// or the backend holds what it should. The second answer is whether that was so.
    fn change<R>(&self, key: Key, change: impl FnOnce(&mut Entry) -> R) -> (Option<R>, bool) {
        let changed = self.with(key, |entry| {
            let changed = change(entry);
            (changed, entry.mark())
        });
        let marked = matches!(changed, Some((_, true)));
        if marked {
            self.dirty.borrow_mut().push_back(key);
        }
        (changed.map(|(changed, _)| changed), marked)
    }
}
