//! What is compared with what: a file for each system, or for what several of them share.

pub(crate) mod condvar;
#[cfg_attr(not(feature = "glib"), path = "systems/glib/absent.rs")]
pub(crate) mod glib;
pub(crate) mod ours;
pub(crate) mod poll;
pub(crate) mod raw_epoll;

use std::io;

/// The error that leaves a system out.
pub(crate) fn left_out(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

/// For a system that this build or this work does not know.
pub(crate) fn unknown(system: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("nothing here is called {system:?}"))
}
