//! [`interloop`] as a guest of the event loops of SDL 2 (the crate `sdl2`, by default) and SDL 3 (the crate
//! `sdl3`, with the feature of this name).
//!
//! [`attach`] joins a reactor to the event queue. The program's own loop, whichever it is, gives each event to
//! [`Attached::handle`]:
//!
//! ```no_run
//! # #[cfg(feature = "sdl2")] {
//! let sdl = sdl2::init()?;
//! let mut pump = sdl.event_pump()?;
//! let reactor = interloop::Reactor::new()?;
//! let attached = interloop_sdl::attach(&reactor, &sdl.event()?)?;
//! loop {
//!     let event = pump.wait_event();
//!     if attached.handle(&event) {
//!         continue;
//!     }
//!     match event {
//!         sdl2::event::Event::Quit { .. } => break,
//!         _ => {}
//!     }
//! }
//! # }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! SDL can watch no descriptor. So the reactor's worker thread blocks in the backend, and its ticks come as
//! events of a registered type, at most one at a time.
//!
//! A loop that looks for events once in a frame runs turns once in a frame too, which is slow for what goes
//! back and forth. One that waits for events until the next frame is due runs them at once:
//! `pump.wait_event_timeout(until_the_next_frame)`.

mod attached;
mod events;
#[cfg(feature = "sdl2")]
mod sdl2;
#[cfg(feature = "sdl3")]
mod sdl3;
mod types;
mod waker;

pub use attached::{Attached, Drive, attach};
pub use events::{Event, Events};
pub use waker::waker;

/// Compiles what the README shows.
#[cfg(all(doctest, feature = "sdl2"))]
#[doc = include_str!("../README.md")]
struct Readme;
