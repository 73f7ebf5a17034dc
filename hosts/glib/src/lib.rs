//! [interloop] in GLib's main loop, which is that of GTK 4: I/O, timers, tasks and calls on the
//! thread of the widgets.
//!
//! [`attach`] is all that most programs need:
//!
//! ```
//! use gio::prelude::*;
//! use std::time::Duration;
//!
//! // As well: gtk4::Application::new(..)
//! let app = gio::Application::new(None, gio::ApplicationFlags::NON_UNIQUE);
//! let reactor = interloop::Reactor::new()?;
//! let _attached = interloop_glib::attach(&reactor)?;
//!
//! // When the reactor has stopped, the application quits; here, after a millisecond.
//! let handle = reactor.handle();
//! reactor.after(Duration::from_millis(1), move || handle.stop()).detach();
//!
//! # app.connect_activate(|_| ());
//! let _running = app.hold();
//! app.run_with_args::<&str>(&[]);
//! assert!(reactor.is_stopped());
//! # std::io::Result::Ok(())
//! ```
//!
//! [`Attach`] is the same with a say in it: the priority, the drive, and what is quit. [`waker`] is the raw
//! hook for [`interleave`](interloop::Handle::interleave).
//!
//! # What runs where, and when
//!
//! Turns run in the main context that is this thread's default. They are dispatched by whichever loop
//! iterates it, be it the application's own or one that a modal dialog has opened, also from inside a
//! callback of the reactor.
//!
//! In an application of GTK's, turns have the priority of painting, so that a flood of I/O freezes no window:
//! see [`Attach::priority`].
//!
//! A panic cannot pass through GLib: as with every callback of the gtk-rs crates, a panic of one that the
//! reactor calls ends the process.
//!
//! # Features
//!
//! The library needs nothing of GTK's. The feature `gtk4` is for the example application and the tests
//! in a real window.

mod attach;
mod attached;
mod context;
mod quit;
mod source;
mod waker;
#[cfg_attr(not(unix), path = "watch/absent.rs")]
mod watch;

pub use attach::{Attach, attach};
pub use attached::{Attached, Drive};
pub use waker::waker;

/// Compiles what the README shows.
#[cfg(all(doctest, feature = "gtk4"))]
#[doc = include_str!("../README.md")]
struct Readme;
