//! The errors of a backend that cannot take an object. All backends say them in the same words.

use std::fmt::Display;
use std::io;

use crate::source::never_blocks;
use crate::{BackendKind, BorrowedSource, source_number};

/// An error that names the backend, the descriptor and the way out.
pub(crate) fn refusal(
    backend: BackendKind,
    source: BorrowedSource<'_>,
    error: io::ErrorKind,
    what: impl Display,
) -> io::Error {
    io::Error::new(error, format!("{backend} backend: fd {} {what}", source_number(source)))
}

/// What the operating system answered, in words where its own do not say enough. An error of ours
/// is passed on.
pub(crate) fn os_refusal(
    backend: BackendKind,
    source: BorrowedSource<'_>,
    error: impl Into<io::Error>,
) -> io::Error {
    let error = error.into();
    if error.raw_os_error().is_none() {
        return error;
    }
    match error.kind() {
        // epoll's word for an object that has no readiness.
        io::ErrorKind::PermissionDenied => {
            let object = never_blocks(source).unwrap_or("a device that never blocks");
            always_ready(backend, source, object)
        }
        io::ErrorKind::AlreadyExists => registered_twice(backend, source),
        kind @ io::ErrorKind::NotFound => {
            let what = "was closed behind its registration's back; drop that registration";
            refusal(backend, source, kind, what)
        }
        kind => refusal(backend, source, kind, format_args!("cannot be watched: {error}")),
    }
}

/// Refuses the kinds of file for which readiness has no meaning, where the system call would call
/// them always ready.
pub(crate) fn refuse_always_ready(
    backend: BackendKind,
    source: BorrowedSource<'_>,
) -> io::Result<()> {
    never_blocks(source).map_or(Ok(()), |object| Err(always_ready(backend, source, object)))
}

/// The error for a descriptor that is registered twice.
pub(crate) fn registered_twice(backend: BackendKind, source: BorrowedSource<'_>) -> io::Error {
    let what = "is already registered; watch it through that registration, or register a \
                duplicate of it (try_clone); if that one was closed elsewhere, drop its source \
                first";
    refusal(backend, source, io::ErrorKind::AlreadyExists, what)
}

/// The error for a second thread that waits.
pub(crate) fn second_waiter(backend: BackendKind) -> io::Error {
    let message = format!("{backend} backend: another thread is waiting, and one at a time may");
    io::Error::new(io::ErrorKind::ResourceBusy, message)
}

/// The error for a registration in the mode `Edge`, where there are no edges.
#[cfg(has_set)]
pub(crate) fn no_edges(backend: BackendKind) -> io::Error {
    let message = format!("{backend} backend: it has no edges (Poller::has_edges)");
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// The error for a registration in the mode `Level`, where there are no levels.
#[cfg(has_polling)]
pub(crate) fn no_levels(backend: BackendKind) -> io::Error {
    let message = format!("{backend} backend: it has no levels (Poller::has_levels)");
    io::Error::new(io::ErrorKind::Unsupported, message)
}

fn always_ready(backend: BackendKind, source: BorrowedSource<'_>, object: &str) -> io::Error {
    let what = format!(
        "is {object}, which is always ready and cannot be watched; use it without waiting, or on \
         a thread of its own"
    );
    refusal(backend, source, io::ErrorKind::Unsupported, what)
}
