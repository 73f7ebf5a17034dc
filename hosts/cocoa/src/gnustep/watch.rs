//! The embedded drive: the run loop watches the reactor's own descriptor.

use std::cell::RefCell;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::rc::Rc;
use std::sync::Arc;

use interloop::{Embedded, Handle};

use super::watcher::{Readable, Watcher};
use crate::modes::Modes;
use crate::slot::Slot;

/// A reactor that is embedded in the run loop of this thread, until this is dropped.
pub(crate) struct Watch {
    watched: Rc<Watched>,
}

struct Watched {
    embedded: Embedded,
    slot: Arc<Slot>,
    /// None once there is nothing to watch.
    watcher: RefCell<Option<Watcher<Watched>>>,
}

impl Watch {
    /// # Errors
    ///
    /// As [`Handle::embed`]; `InvalidInput` when a mode's name has a zero in it.
    pub(crate) fn add(modes: &Modes, slot: &Arc<Slot>, reactor: &Handle) -> io::Result<Watch> {
        let watched = Rc::new(Watched {
            embedded: reactor.embed()?,
            slot: Arc::clone(slot),
            watcher: RefCell::default(),
        });
        let watcher = Watcher::new(modes, Rc::clone(&watched))?;
        watched.watcher.replace(Some(watcher));
        Ok(Watch { watched })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.watched.end();
    }
}

impl Watched {
    fn end(&self) {
        let watcher = self.watcher.take();
        drop(watcher);
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.embedded.as_fd()
    }
}

impl Readable for Watched {
    fn is_readable(&self) {
        if !self.embedded.turn() {
            // It would be readable for ever.
            self.end();
        }
        self.slot.turned();
    }
}
