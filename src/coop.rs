//! tokio's budget. Its channels, locks and timers count what a task does, and answer `Pending` when
//! the count is used up, until tokio's own executor polls the next task. On a host thread inside a
//! tokio runtime that does not happen between two polls of this executor, and a task would wait for
//! ever: it is polled without a count. A turn ends by the reactor's own budget, between two polls.

#[cfg(feature = "tokio")]
pub(crate) use tokio::task::unconstrained;

#[cfg(not(feature = "tokio"))]
pub(crate) fn unconstrained<F: std::future::Future>(future: F) -> F {
    future
}
