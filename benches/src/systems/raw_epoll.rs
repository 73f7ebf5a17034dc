//! epoll on the only thread, and nothing else: the limit of what can be had.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// An epoll set, and room for what it reports.
pub(crate) struct RawEpoll {
    set: OwnedFd,
    events: Vec<Event>,
}

impl RawEpoll {
    pub(crate) fn new() -> io::Result<RawEpoll> {
        let set = epoll::create(CreateFlags::CLOEXEC)?;
        Ok(RawEpoll { set, events: Vec::with_capacity(1024) })
    }

    pub(crate) fn add(&self, fd: impl AsFd, data: u64, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::add(&self.set, fd, EventData::new_u64(data), flags)?)
    }

    /// Waits for as long as it takes, and gives what is ready.
    pub(crate) fn wait(&mut self) -> io::Result<&[Event]> {
        self.events.clear();
        epoll::wait(&self.set, spare_capacity(&mut self.events), None)?;
        Ok(&self.events)
    }
}
