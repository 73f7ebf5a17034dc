//! The atomics, from std or, under the model checker, from loom.

#[cfg(not(interloop_loom))]
pub(crate) use std::sync::atomic::{AtomicPtr, Ordering};

#[cfg(interloop_loom)]
pub(crate) use loom::sync::atomic::{AtomicPtr, Ordering};
