//! Where a waker leaves a tick for the main thread.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{Mutex, MutexGuard, PoisonError};

use interloop::Tick;

/// What the main thread finds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(C)]
pub(crate) enum Arrived {
    Nothing,
    ATick,
    TheEnd,
}

/// Holds one tick, which is all that there ever is, and a descriptor that is readable from when it was left
/// until [`arrived`](Mailbox::arrived) has been called.
pub(crate) struct Mailbox {
    reading: UnixStream,
    writing: UnixStream,
    content: Mutex<Content>,
}

enum Content {
    Empty,
    Tick(Tick),
    /// Nobody posts any more.
    TheEnd,
    /// Nobody looks any more.
    Closed,
}

impl Mailbox {
    pub(crate) fn new() -> io::Result<Mailbox> {
        let (reading, writing) = UnixStream::pair()?;
        reading.set_nonblocking(true)?;
        writing.set_nonblocking(true)?;
        Ok(Mailbox { reading, writing, content: Mutex::new(Content::Empty) })
    }

    pub(crate) fn descriptor(&self) -> RawFd {
        self.reading.as_raw_fd()
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        // It is a plain value, and nothing panics while it is locked.
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From any thread. Where nobody looks any more the tick is dropped: a failed post.
    pub(crate) fn post(&self, tick: Tick) {
        self.put(Content::Tick(tick));
    }

    /// From any thread, as the last thing.
    pub(crate) fn end(&self) {
        self.put(Content::TheEnd);
    }

    fn put(&self, new: Content) {
        let mut content = self.content();
        if let Content::Closed = *content {
            // Ticks call into the reactor when they are dropped.
            drop(content);
            drop(new);
            return;
        }
        let old = std::mem::replace(&mut *content, new);
        drop(content);
        forget(old);
        // A buffer that is full is readable too.
        let _full = (&self.writing).write(&[0]);
    }

    /// What has come since the last time. On the main thread.
    pub(crate) fn arrived(&self) -> Arrived {
        let mut bytes = [0; 64];
        while (&self.reading).read(&mut bytes).is_ok_and(|count| count == bytes.len()) {}
        match *self.content() {
            Content::Empty | Content::Closed => Arrived::Nothing,
            Content::Tick(_) => Arrived::ATick,
            Content::TheEnd => Arrived::TheEnd,
        }
    }

    /// Takes the tick out, if there is one. On the main thread.
    pub(crate) fn take(&self) -> Option<Tick> {
        let mut content = self.content();
        match std::mem::replace(&mut *content, Content::Empty) {
            Content::Tick(tick) => Some(tick),
            other => {
                *content = other;
                None
            }
        }
    }

    /// Nobody looks into it from here on. On the main thread.
    pub(crate) fn close(&self) {
        let old = std::mem::replace(&mut *self.content(), Content::Closed);
        // A tick in it is a failed post.
        drop(old);
    }
}

/// The reactor has posted another tick in the place of this one, or has another waker.
fn forget(old: Content) {
    if let Content::Tick(tick) = old {
        tick.detach();
    }
}
