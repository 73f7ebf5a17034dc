//! The types of the reactors' events.

use std::io;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::events::Events;

/// The types that were registered with an SDL, and that no reactor has at present. SDL has 32,767 of them for the
/// whole process, and takes none back.
pub struct Types(Mutex<Vec<u32>>);

impl Types {
    pub(crate) const fn new() -> Types {
        Types(Mutex::new(Vec::new()))
    }

    fn free(&self) -> MutexGuard<'_, Vec<u32>> {
        // These are plain values, and nothing panics while they are locked.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A type of events that nobody else has. When it is dropped, another reactor may get it: an event that comes late
/// is a turn of that one with nothing to do.
pub(crate) struct EventType {
    number: u32,
    types: &'static Types,
}

impl EventType {
    /// # Errors
    ///
    /// When SDL has no event types left.
    pub(crate) fn take<S: Events>(events: &S) -> io::Result<EventType> {
        let types = S::types();
        let free = types.free().pop();
        let number = free.map_or_else(|| events.register(), Ok)?;
        Ok(EventType { number, types })
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// Nobody gets it again.
    pub(crate) fn keep(self) -> u32 {
        let number = self.number;
        mem::forget(self);
        number
    }
}

impl Drop for EventType {
    fn drop(&mut self) {
        self.types.free().push(self.number);
    }
}
