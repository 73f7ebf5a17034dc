//! [`interloop`] as a guest of winit's event loop, and so of whatever runs on it, as eframe does.
//!
//! [`Host`] is put round the application, and [`attach`] joins a reactor to the loop: the callbacks, timers and
//! tasks of the reactor then run on the thread of the loop, and the end of either is the orderly end of
//! the other.
//!
//! ```no_run
//! use interloop::Reactor;
//! use interloop_winit::{Host, attach};
//! use winit::event_loop::EventLoop;
//! # use winit::{application::ApplicationHandler, event::WindowEvent, event_loop::ActiveEventLoop};
//! # struct App;
//! # impl ApplicationHandler for App {
//! #     fn resumed(&mut self, _: &ActiveEventLoop) {}
//! #     fn window_event(&mut self, _: &ActiveEventLoop, _: winit::window::WindowId, _: WindowEvent) {}
//! # }
//!
//! let event_loop = EventLoop::new()?;
//! let reactor = Reactor::new()?;
//! let attached = attach(&reactor, event_loop.create_proxy(), || ())?;
//! event_loop.run_app(&mut Host(App))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! winit 0.30 runs on calloop under X11 and Wayland, but keeps it to itself: nobody can have a descriptor of
//! theirs watched. So the reactor's worker thread blocks in the backend, and an `EventLoopProxy` takes its
//! ticks to the loop.

mod attached;
mod guests;
mod host;
mod waker;

pub use attached::{Attached, Drive, attach};
pub use host::Host;
pub use waker::waker;

/// Compiles what the README shows.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
