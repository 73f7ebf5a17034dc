//! [`interloop`] in the event loop of wxWidgets 3.2, on Unix.
//!
//! [`attach`] is all that a program needs: it joins a reactor to the application, and answers with a guard,
//! [`Attached`]. [`waker`] is the raw hook, for [`Handle::interleave`](interloop::Handle::interleave), for
//! those who join start-up and shutdown themselves.
//!
//! Who made the application does not matter, nor whether it has windows: `wxApp` and `wxAppConsole` both
//! do. This crate needs of wxWidgets only its base library, which its build script finds by `wx-config`, or
//! by the one that `WX_CONFIG` names.
//!
//! On Windows and on macOS wxWidgets runs the loop of the system: there it is that of `interloop-win32` or
//! of `interloop-cocoa`.
//!
//! A callback that panics aborts the process, because nothing can unwind through wxWidgets.

mod attached;
mod mailbox;
mod relay;

pub use attached::{Attached, Drive, attach};
pub use relay::waker;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
