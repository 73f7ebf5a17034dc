//! Futures of crates that need tokio, polled on the host thread.
//!
//! A client such as those of `reqwest` and `tonic` finds its sockets and timers in tokio's context,
//! and panics without one. [`Handle::spawn_tokio`] polls a future inside such a context, and
//! [`Compat`], of the crate `async-compat`, does so to a part of a future. The future itself
//! need not be `Send`, and may touch what lives on the host thread.
//!
//! ```
//! use std::rc::Rc;
//!
//! use interloop::Reactor;
//!
//! let reactor = Reactor::new()?;
//! let text = Rc::new(String::from("on the host thread"));
//! let task = reactor.spawn_tokio(async move {
//!     let number = tokio::spawn(async { 24 }).await.unwrap();
//!     text.len() + number
//! });
//! assert_eq!(reactor.block_on(task)?, 42);
//! # std::io::Result::Ok(())
//! ```
//!
//! # Which thread does what
//!
//! The future is polled on the host thread, and dropped there. tokio's sockets and timers wait on a
//! thread of their own, `async-compat/tokio-1`, which begins with the first use and serves the whole
//! process; it wakes the tasks of the host thread as any other thread does. What the client itself
//! hands to `tokio::spawn`, as `tonic` and `reqwest` do with their connections, runs over there, and
//! so does what they hand to `tokio::task::spawn_blocking`, on tokio's pool.
//!
//! Where the host thread is inside a tokio runtime already, that runtime is used. One that has only
//! this thread must get it back from time to time for its sockets and timers to work: interleave the
//! reactor with it, and do not call [`Handle::run`] inside it.
//!
//! # Budget
//!
//! tokio's channels make a task wait that has done much without a pause, until tokio polls another
//! one, which inside a tokio runtime would be for ever. With this feature all tasks of the reactor
//! are exempt from that, as by [`tokio::task::unconstrained`]. The reactor's own budget ends a turn
//! between two polls: a task that takes from a channel which is never empty pauses by itself from time
//! to time, to let others run.

pub use async_compat::{Compat, CompatExt};

use std::future::Future;

use crate::handle::Handle;
use crate::task::Task;

impl Handle {
    /// Runs a future on the host thread, inside the context of a tokio runtime: what needs tokio's
    /// sockets, timers or `tokio::spawn` works in it. In all else as
    /// [`spawn_local`](Handle::spawn_local).
    ///
    /// # Cancel safety
    ///
    /// That of the future. What it has handed to `tokio::spawn` goes on without it.
    #[track_caller]
    pub fn spawn_tokio<F>(&self, future: F) -> Task<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.spawn_local(Compat::new(future))
    }
}
