//! What can be watched: a file descriptor, or on Windows a socket.

#[cfg(unix)]
pub use std::os::fd::BorrowedFd as BorrowedSource;
#[cfg(windows)]
pub use std::os::windows::io::BorrowedSocket as BorrowedSource;

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

/// Asks the operating system whether `source` is ready for `interest` now, whatever was reported of
/// it.
///
/// # Errors
///
/// What the operating system said; `Unsupported` where there is no such call.
#[cfg(unix)]
pub fn is_ready(source: BorrowedSource<'_>, interest: crate::Interest) -> std::io::Result<bool> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::io::Errno;

    const WANTED: [(crate::Interest, PollFlags); 3] = [
        (crate::Interest::READABLE, PollFlags::IN),
        (crate::Interest::WRITABLE, PollFlags::OUT),
        (crate::Interest::PRIORITY, PollFlags::PRI),
    ];
    let wanted = WANTED.iter().filter(|(want, _)| interest.contains(*want));
    let flags = wanted.fold(PollFlags::empty(), |flags, (_, flag)| flags | *flag);
    let mut polled = [PollFd::from_borrowed_fd(source, flags)];
    loop {
        match poll(&mut polled, Some(&Timespec::default())) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Asks the operating system whether `source` is ready for `interest` now: it cannot be asked here.
#[cfg(windows)]
pub fn is_ready(_source: BorrowedSource<'_>, _interest: crate::Interest) -> std::io::Result<bool> {
    Err(std::io::ErrorKind::Unsupported.into())
}
