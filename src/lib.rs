//! A reactor that is a guest in any event loop.
//!
//! A program with a window, a game or a plug-in has an event loop already, and that loop owns the
//! main thread: it is the *host*. A reactor joins it by one closure, the *waker*. A *worker* thread
//! blocks in `epoll`, `kqueue`, `poll` or `select`; when something is ready, it calls the waker with
//! a [`Tick`], the waker posts that to the host, and the host thread runs it. In it runs a *turn*:
//! the callbacks of what is ready, the timers that are due, the calls from other threads, the
//! tasks. All user code runs on the host thread, and need be neither `Send` nor locked.
//!
//! ```
//! use std::sync::mpsc;
//! use std::time::Duration;
//!
//! // A host: a queue that any thread posts to, and a loop that takes from it.
//! let (queue, ticks) = mpsc::channel();
//! let reactor = interloop::Reactor::new()?;
//! reactor.interleave(move |tick| drop(queue.send(tick)))?;
//!
//! let handle = reactor.handle();
//! reactor.spawn_local(async move {
//!     handle.sleep(Duration::from_millis(10)).await;
//!     handle.stop();
//! }).detach();
//!
//! // The reactor drops the sender when it has stopped, and that ends this loop.
//! for tick in ticks {
//!     tick.run();
//! }
//! assert!(reactor.is_stopped());
//! # Ok::<(), std::io::Error>(())
//! ```
//!
//! # Where to find what
//!
//! - Making one: [`Reactor::new`], [`Reactor::builder`]; which system call it uses: [`BackendKind`].
//! - Driving it: [`interleave`](Handle::interleave) with any host, [`embed`](Handle::embed) in one that
//!   can watch a descriptor, [`run`](Handle::run) without a host.
//! - I/O: [`register`](Handle::register) with a callback that answers with an [`Action`], or
//!   [`source`](Handle::source) and [`Source::ready`] in a task.
//! - Time: [`after`](Handle::after), [`at`](Handle::at), [`every`](Handle::every),
//!   [`sleep`](Handle::sleep).
//! - Futures: [`spawn_local`](Handle::spawn_local), [`block_on`](Handle::block_on); for programs without
//!   `async`, [`spawn_then`](Handle::spawn_then).
//! - Sockets for tasks: [`net`]; whatever else has a descriptor: [`Async`].
//! - What blocks: [`unblock`](Handle::unblock).
//! - Other threads: [`remote`](Handle::remote) gives a [`Remote`], which goes anywhere.
//! - The end: [`stop`](Handle::stop) and the triggers of [`on_shutdown`](Handle::on_shutdown);
//!   [`finish`](Handle::finish) where the host loop ended first.
//! - Looking inside: [`stats`](Handle::stats), [`dump`](Handle::dump), [`Builder::reporter`].
//!
//! [`Reactor`] owns the reactor, and [`Handle`] is what callbacks and tasks keep of it; both have
//! the same methods. Neither leaves the host thread.
//!
//! # Handles
//!
//! [`Source`], [`Timer`], [`Task`] and [`Trigger`] stand for what was asked for. Dropping one
//! cancels it, and `detach()` lets it go on by itself. `label(...)` names it, for [`Dump`] and
//! [`Report`]; without that it goes by the place in the program where it was made.
//!
//! # Features
//!
//! `epoll`, `poll`, `select`, `kqueue` and `polling` are the backends, all on by default, each
//! compiled only where the target has it. `libkqueue` runs `kqueue` on Linux.
//!
//! `net` ([`net`], [`Async`]) and `unblock` ([`Handle::unblock`], [`Unblock`]) are on by default too. `process` and
//! `signal` add child processes and signals, on Unix; `hyper` what hyper 1.x asks of a runtime; `tokio`
//! futures of crates that need tokio. `test-util` adds `testing`, the test kit for hosts, and the scripted
//! backend `backends::fake`; `tracing` adds spans and events.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![warn(unreachable_pub)]

mod action;
#[cfg(feature = "net")]
mod async_object;
mod builder;
#[cfg_attr(not(feature = "net"), path = "cache/absent.rs")]
mod cache;
mod call;
mod callback;
mod clock;
mod coop;
mod core;
mod deadlines;
mod dump;
mod embed;
mod executor;
mod fork;
mod handle;
mod histogram;
#[cfg(feature = "hyper")]
pub mod hyper;
mod inbox;
mod label;
mod local;
#[cfg(feature = "net")]
pub mod net;
mod park;
mod pool;
mod prefetch;
#[cfg(all(feature = "process", unix))]
pub mod process;
mod proxy;
mod reactor;
mod remote;
mod report;
mod rest;
mod run;
mod shared;
mod shutdown;
#[cfg(all(feature = "signal", unix))]
pub mod signal;
mod slots;
mod source;
mod sources;
mod spawned;
mod stats;
mod stopped;
mod stopwatch;
mod sync;
mod tally;
mod task;
#[cfg(feature = "test-util")]
pub mod testing;
mod tick;
mod timer;
mod timers;
#[cfg(feature = "tokio")]
pub mod tokio;
mod trigger;
mod turn;
mod wake;
mod waker_proxy;
mod watchdog;
mod woken;
mod worker;

pub use action::Action;
#[cfg(feature = "net")]
pub use async_object::Async;
/// Files and other objects that block, as `AsyncRead`, `AsyncWrite` and `AsyncSeek`: their operations run
/// on the thread pool of the crate `blocking`. Flush or close one before it is dropped; the shutdown of a
/// reactor does not wait for it. In a forked child, where that pool has no threads, nothing comes of them.
#[cfg(feature = "unblock")]
pub use blocking::Unblock;
pub use builder::Builder;
pub use dump::{Dump, SourceDump, TimerDump};
pub use embed::Embedded;
pub use handle::Handle;
pub use histogram::Histogram;
pub use interloop_backends as backends;
pub use interloop_backends::{AsSource, BackendKind, Interest, Key, Mode, Poller, Readiness};
pub use label::Label;
pub use reactor::Reactor;
pub use remote::{CallError, Remote};
pub use report::Report;
pub use run::{FinishGuard, Finished};
pub use shutdown::Phase;
pub use source::{Ready, RegisterError, Source};
pub use stats::Stats;
pub use stopped::Stopped;
pub use task::Task;
pub use tick::Tick;
pub use timer::{Sleep, Timer};
pub use trigger::{Trigger, TriggerOutcome};
pub use waker_proxy::WakerProxy;

/// Compiles what the README and the documents show.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
#[doc = include_str!("../docs/architecture.md")]
#[cfg_attr(feature = "net", doc = include_str!("../docs/async.md"))]
#[doc = include_str!("../docs/backends.md")]
#[cfg_attr(feature = "test-util", doc = include_str!("../docs/hosts.md"))]
#[doc = include_str!("../docs/ordering.md")]
#[doc = include_str!("../docs/shutdown.md")]
struct Documents;
