//! Futures of crates that need tokio, polled on the host thread.
