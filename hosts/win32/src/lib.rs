//! [`interloop`] as a guest of the Win32 message loop.
//!
//! [`attach`] is all that a program needs: it joins a reactor to the message loop of this thread, and
//! answers with a guard, [`Attached`]. [`waker`] is the raw hook, for
//! [`Handle::interleave`](interloop::Handle::interleave), for those who join start-up and shutdown
//! themselves.
//!
//! ```no_run
//! # use std::ptr;
//! use windows_sys::Win32::UI::WindowsAndMessaging::{DispatchMessageW, GetMessageW, MSG};
//!
//! let reactor = interloop::Reactor::new()?;
//! let _attached = interloop_win32::attach(&reactor)?;
//! let mut message = MSG::default();
//! // SAFETY: `message` lives, and is what GetMessageW has written.
//! while unsafe { GetMessageW(&mut message, ptr::null_mut(), 0, 0) } > 0 {
//!     unsafe { DispatchMessageW(&message) };
//! }
//! # std::io::Result::Ok(())
//! ```
//!
//! # Which loops
//!
//! Ticks are posted to a message-only window of ours, on the thread that attaches. So every loop that
//! dispatches messages to windows runs them: the program's own, those of `MessageBox` and `DialogBox`, of
//! menus, of moving and sizing a window, and those in which COM waits in a single-threaded apartment. It
//! does not matter who has written the loop, nor which crate has made the windows. Messages of the thread
//! (`PostThreadMessage`), which such loops throw away, are not used.
//!
//! A loop that asks `GetMessage` or `PeekMessage` for the messages of one window only, or of a range of
//! numbers, does not get ours. While the thread waits in a `SendMessage` to another thread, nothing that
//! is posted is dispatched, ours included.
//!
//! # Who comes first
//!
//! `GetMessage` hands out posted messages before input, painting and timers: a reactor in a flood of I/O
//! would lock these out. So a tick that finds others waiting lets one of them pass first. A turn, which is
//! limited by [`turn_budget`](interloop::Builder::turn_budget), and a message of another kind take turns.
//!
//! That is for loops that take a message at a time. One that dispatches all there are, and then draws a
//! frame, as games do, might find one more for as long as the flood lasts: limit it by count or by
//! time.
//!
//! # When posts fail
//!
//! A thread's queue takes 10,000 posted messages, and refuses more. Nothing of the reactor's is lost
//! then: it tries again, after a millisecond at first.
//!
//! # Panics
//!
//! Nothing can unwind through a window procedure: a callback that panics ends the process, as a panic in
//! any other window procedure does.
// Where it is empty, its documentation names what is not there.
#![cfg_attr(not(windows), allow(rustdoc::broken_intra_doc_links))]
#![cfg(windows)]

mod attached;
mod mailbox;
mod passing;
mod window;

use std::io;

use interloop::Tick;

pub use attached::{Attached, Drive, attach};

use crate::window::Window;

/// A waker that posts to the message loop of this thread, which need not run yet. Call it on the thread
/// of the reactor.
///
/// It makes a message-only window on this thread, which goes when the waker is dropped. Where that happens
/// on another thread, a message asks for it, so that the loop has to run; whatever remains goes
/// with the thread.
///
/// ```no_run
/// # let reactor = interloop::Reactor::new()?;
/// reactor.interleave(interloop_win32::waker()?)?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// # Errors
///
/// What the operating system said when it refused a window.
pub fn waker() -> io::Result<impl Fn(Tick) + Send + Sync + 'static> {
    let window = Window::open()?;
    Ok(move |tick| window.post(tick))
}

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
