//! What can be watched: a file descriptor, or on Windows a socket.

use std::io;

#[cfg(unix)]
pub use std::os::fd::BorrowedFd as BorrowedSource;
#[cfg(windows)]
pub use std::os::windows::io::BorrowedSocket as BorrowedSource;

use crate::{Interest, Readiness};

/// An object that a backend can watch: on Unix whatever is [`AsFd`](std::os::fd::AsFd), on Windows
/// whatever is `AsSocket`.
pub trait AsSource {
    /// Lends the descriptor or the socket.
    fn as_source(&self) -> BorrowedSource<'_>;
}

#[cfg(unix)]
impl<T: std::os::fd::AsFd + ?Sized> AsSource for T {
    fn as_source(&self) -> BorrowedSource<'_> {
        self.as_fd()
    }
}

#[cfg(windows)]
impl<T: std::os::windows::io::AsSocket + ?Sized> AsSource for T {
    fn as_source(&self) -> BorrowedSource<'_> {
        self.as_socket()
    }
}

/// The number of a descriptor or socket, for messages.
pub fn source_number(source: BorrowedSource<'_>) -> u64 {
    #[cfg(unix)]
    return std::os::fd::AsRawFd::as_raw_fd(&source) as u64;
    #[cfg(windows)]
    return std::os::windows::io::AsRawSocket::as_raw_socket(&source);
}

/// What `source` is, if it is a kind of file that has no readiness, because nothing on it ever
/// blocks.
#[cfg(all(unix, has_backend))]
pub(crate) fn never_blocks(source: BorrowedSource<'_>) -> Option<&'static str> {
    use rustix::fs::FileType;
    let stat = rustix::fs::fstat(source).ok()?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Some("a regular file"),
        FileType::Directory => Some("a directory"),
        FileType::BlockDevice => Some("a block device"),
        _ => None,
    }
}

/// Sockets block, and there is nothing else on Windows.
#[cfg(all(windows, has_backend))]
pub(crate) fn never_blocks(_source: BorrowedSource<'_>) -> Option<&'static str> {
    None
}

/// Asks the operating system what `source` is ready for now, of `interest` and of what is always told,
/// whatever was reported of it.
///
/// # Errors
///
/// What the operating system said; `Unsupported` where there is no such call.
#[cfg(unix)]
pub fn look(source: BorrowedSource<'_>, interest: Interest) -> io::Result<Readiness> {
    use rustix::event::{PollFd, Timespec, poll};
    use rustix::io::Errno;

    use crate::poll_flags::{readiness, wanted};

    let mut polled = [PollFd::from_borrowed_fd(source, wanted(interest))];
    loop {
        match poll(&mut polled, Some(&Timespec::default())) {
            Ok(_) => return Ok(readiness(polled[0].revents())),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Asks the operating system what `source` is ready for now: it cannot be asked here.
#[cfg(windows)]
pub fn look(_source: BorrowedSource<'_>, _interest: Interest) -> io::Result<Readiness> {
    Err(io::ErrorKind::Unsupported.into())
}

/// As [`look`]: whether that is anything.
///
/// # Errors
///
/// As `look`.
pub fn is_ready(source: BorrowedSource<'_>, interest: Interest) -> io::Result<bool> {
    look(source, interest).map(|readiness| !readiness.is_none())
}
