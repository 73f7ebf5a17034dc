//! A descriptor that becomes readable when somebody calls: what ends a poll or a select.
//!
//! An eventfd where there is one, else a pipe.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, read, retry_on_intr, write};

/// Any thread calls; the waiting thread watches the descriptor, and drains it.
pub(crate) struct Notifier {
    read: OwnedFd,
    /// `None` for an eventfd, which is written to where it is read from.
    write: Option<OwnedFd>,
}

impl Notifier {
    #[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
    pub(crate) fn open() -> rustix::io::Result<Notifier> {
        use rustix::event::{EventfdFlags, eventfd};
        let read = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Notifier { read, write: None })
    }

    #[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
    pub(crate) fn open() -> rustix::io::Result<Notifier> {
        use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionbio};
        // pipe2 would spare three calls, and is missing on macOS.
        let (read, write) = rustix::pipe::pipe()?;
        for end in [&read, &write] {
            fcntl_setfd(end, FdFlags::CLOEXEC)?;
            ioctl_fionbio(end, true)?;
        }
        Ok(Notifier { read, write: Some(write) })
    }

    /// Makes the descriptor readable.
    pub(crate) fn notify(&self) -> rustix::io::Result<()> {
        // An eventfd takes eight bytes, and a pipe takes them whole.
        let one = 1u64.to_ne_bytes();
        match retry_on_intr(|| write(self.write.as_ref().unwrap_or(&self.read), &one)) {
            // Full, so that it is readable already.
            Ok(_) | Err(Errno::AGAIN) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Makes the descriptor unreadable until the next call.
    pub(crate) fn drain(&self) -> rustix::io::Result<()> {
        let mut buffer = [0; 512];
        loop {
            match read(&self.read, &mut buffer) {
                Ok(length) if length == buffer.len() => {}
                Ok(_) | Err(Errno::AGAIN) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

impl AsFd for Notifier {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.read.as_fd()
    }
}
