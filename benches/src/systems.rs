//! What is compared with what: a file for each system, or for what several of them share.

pub(crate) mod condvar;
#[cfg(any(feature = "sdl", feature = "winit"))]
mod display;
#[cfg_attr(not(feature = "glib"), path = "systems/glib/absent.rs")]
pub(crate) mod glib;
pub(crate) mod ours;
pub(crate) mod poll;
#[cfg_attr(not(feature = "qt"), path = "systems/qt/absent.rs")]
pub(crate) mod qt;
pub(crate) mod raw_epoll;
#[cfg_attr(not(feature = "sdl"), path = "systems/sdl/absent.rs")]
pub(crate) mod sdl;
#[cfg_attr(not(feature = "winit"), path = "systems/winit/absent.rs")]
pub(crate) mod winit;

use std::io;

/// The error that leaves a system out.
pub(crate) fn left_out(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, why)
}

/// For a system that this build or this work does not know.
pub(crate) fn unknown(system: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("nothing here is called {system:?}"))
}
