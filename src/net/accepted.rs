//! Connections by callbacks, for programs without `async`.

use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::{Context, Poll};

use crate::handle::Handle;
use crate::label::Label;
use crate::task::Task;

/// Calls `callback` with everything that `accept` gives, until it answers with a break, or the reactor
/// has closed its sources.
pub(super) fn each_accepted<T: 'static>(
    handle: &Handle,
    label: Label,
    mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>> + 'static,
    mut callback: impl FnMut(io::Result<T>) -> ControlFlow<()> + 'static,
) -> Task<()> {
    let core = Rc::clone(handle.core());
    let each = async move {
        loop {
            let accepted = poll_fn(&mut accept).await;
            let closed = accepted.is_err() && core.sources.is_closed();
            if callback(accepted).is_break() || closed {
                return;
            }
        }
    };
    handle.core().spawn(each, label)
}
