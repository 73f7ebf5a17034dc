//! The errors of a backend that cannot take a descriptor. All backends say them in the same words.

use std::fmt::Display;
use std::io;

use rustix::fs::{FileType, fstat};
use rustix::io::Errno;

use crate::{BackendKind, BorrowedSource, source_number};

/// `error`, with the backend and the descriptor that it is about, and the way out.
pub(crate) fn refusal(
    backend: BackendKind,
    source: BorrowedSource<'_>,
    error: io::ErrorKind,
    what: impl Display,
) -> io::Error {
    io::Error::new(error, format!("{backend} backend: fd {} {what}", source_number(source)))
}

/// What the operating system answered, in words where the number does not say enough.
pub(crate) fn os_refusal(
    backend: BackendKind,
    source: BorrowedSource<'_>,
    errno: Errno,
) -> io::Error {
    let error = io::Error::from(errno);
    match errno {
        Errno::PERM => always_ready(backend, source),
        Errno::EXIST => already_registered(backend, source),
        Errno::BADF => refusal(backend, source, error.kind(), "is not an open descriptor"),
        Errno::NOENT => refusal(
            backend,
            source,
            error.kind(),
            "was closed while it was registered; register it again",
        ),
        _ => refusal(backend, source, error.kind(), format_args!("cannot be watched: {error}")),
    }
}

/// The error for an object that never blocks, so that nothing ever happens to it.
pub(crate) fn always_ready(backend: BackendKind, source: BorrowedSource<'_>) -> io::Error {
    let object = match fstat(source).map(|stat| FileType::from_raw_mode(stat.st_mode)) {
        Ok(FileType::RegularFile) => "a regular file",
        Ok(FileType::Directory) => "a directory",
        Ok(FileType::BlockDevice) => "a block device",
        _ => "a device that never blocks",
    };
    let what = format_args!(
        "is {object}, which is always ready and cannot be watched; use it without waiting, \
         or on a thread of its own"
    )
    .to_string();
    refusal(backend, source, io::ErrorKind::Unsupported, what)
}

/// The error for a descriptor that is registered twice.
pub(crate) fn already_registered(backend: BackendKind, source: BorrowedSource<'_>) -> io::Error {
    let what = "is already registered; watch it through that registration, or register a duplicate \
                of it (try_clone)";
    refusal(backend, source, io::ErrorKind::AlreadyExists, what)
}

/// The error for a second thread that waits.
pub(crate) fn second_waiter(backend: BackendKind) -> io::Error {
    let message = format!("{backend} backend: another thread is waiting; one at a time may");
    io::Error::new(io::ErrorKind::ResourceBusy, message)
}
