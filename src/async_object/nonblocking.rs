//! The switch to non-blocking, and back.

use std::io;

use interloop_backends::AsSource;
use socket2::SockRef;

/// What an object was before it was switched.
pub(super) struct NonBlocking {
    /// True where it blocked, and is known to have.
    blocked: bool,
}

impl NonBlocking {
    /// Switches an object to non-blocking.
    pub(super) fn set(io: &impl AsSource) -> io::Result<NonBlocking> {
        let source = io.as_source();
        let socket = SockRef::from(&source);
        #[cfg(unix)]
        let blocked = !socket.nonblocking()?;
        // Windows does not tell.
        #[cfg(windows)]
        let blocked = false;
        socket.set_nonblocking(true)?;
        Ok(NonBlocking { blocked })
    }

    /// Makes it what it was.
    pub(super) fn undo(&self, io: &impl AsSource) {
        if self.blocked {
            // It has been switched once: what the system says is the same.
            let _refused = SockRef::from(&io.as_source()).set_nonblocking(false);
        }
    }
}
