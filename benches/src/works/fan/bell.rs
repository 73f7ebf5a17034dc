//! A descriptor that another thread makes readable.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::sync::Arc;

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::{read, write};

/// An eventfd, which does not block.
#[derive(Clone, Debug)]
pub(super) struct Bell(Arc<OwnedFd>);

impl Bell {
    pub(super) fn new() -> io::Result<Bell> {
        Ok(Bell(Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?)))
    }

    /// Makes it readable.
    pub(super) fn ring(&self) {
        write(&self.0, &1u64.to_ne_bytes()).expect("a bell is heard before it has rung 2^64 times");
    }

    /// Reads it, after which it is silent.
    ///
    /// # Errors
    ///
    /// `WouldBlock` when it is silent already.
    pub(super) fn hear(&self) -> io::Result<()> {
        let mut count = [0; 8];
        read(&self.0, &mut count)?;
        Ok(())
    }

    /// Reads until there is nothing left, as edges ask for.
    pub(super) fn hear_all(&self) -> io::Result<()> {
        loop {
            match self.hear() {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
    }
}

impl AsFd for Bell {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Bell {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}
