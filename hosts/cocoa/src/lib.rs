//! [`interloop`] as a guest of the event loops of Cocoa: `CFRunLoop`, which is `NSRunLoop` below.
//!
//! [`attach`] is all that a program needs: it joins a reactor to the run loop of this thread, and answers
//! with a guard, [`Attached`]. [`Attach`] is the same with a say in it: the modes, and the drive. [`waker`]
//! is the raw hook, for [`Handle::interleave`](interloop::Handle::interleave), for those who join start-up
//! and shutdown themselves.
//!
//! # Modes
//!
//! A run loop runs in a mode, and serves what has been added to that: while a menu is open or a slider is
//! dragged, AppKit runs it in the mode for tracking events. The reactor is added to the common modes,
//! which are the default one, that one, and that of modal panels; [`Modes`] names others. In a mode that is
//! not among them the reactor rests.
//!
//! # The end
//!
//! When the reactor has stopped, the run of the loop that its turn was in is stopped, as by `CFRunLoopStop`,
//! and so are the runs that its callbacks were in, outermost last: a `CFRunLoopRun` returns. With the feature
//! `appkit`, a running `NSApplication` is stopped instead. A run that begins later is not stopped: where the reactor may
//! end before, as in a modal panel at the start, the program asks [`is_stopped`](interloop::Handle::is_stopped) first.
//!
//! `-[NSApplication terminate:]`, what a "Quit" in the menu does, never returns to `main`. So the reactor
//! is finished before, when the application says that it will terminate.
//!
//! # Autorelease pools
//!
//! Each turn has one of its own, so that what callbacks autorelease goes when the turn ends, also where
//! nobody but a bare `CFRunLoop` runs.
//!
//! # Panics
//!
//! Nothing can unwind through a run loop: a callback that panics ends the process.
//!
//! # Elsewhere
//!
//! On Linux, the feature `gnustep` joins reactors to the `NSRunLoop` of GNUstep, and `swift-corelibs` to the
//! `CFRunLoop` of Swift's Foundation. Without one of them this crate is empty there, and on every other
//! system that is not Apple's.
// Where it is empty, its documentation names what is not there.
#![cfg_attr(
    not(any(run_loop = "core_foundation", run_loop = "gnustep")),
    allow(rustdoc::broken_intra_doc_links)
)]
#![cfg(any(run_loop = "core_foundation", run_loop = "gnustep"))]

mod attach;
mod attached;
mod modes;
#[cfg_attr(run_loop = "core_foundation", path = "core_foundation/mod.rs")]
#[cfg_attr(run_loop = "gnustep", path = "gnustep/mod.rs")]
mod run_loop;
mod slot;
mod waker;

pub use attach::{Attach, attach};
pub use attached::{Attached, Drive};
pub use modes::Modes;
pub use waker::waker;

/// Compiles what the README shows.
#[cfg(all(doctest, run_loop = "core_foundation"))]
#[doc = include_str!("../README.md")]
struct Readme;
