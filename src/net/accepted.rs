//! Connections by callbacks, for programs without `async`.

use std::future::poll_fn;
use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use interloop_backends::AsSource;

use crate::async_object::Async;
use crate::label::Label;
use crate::task::Task;
use crate::timer::Sleep;

/// How long an error keeps from the next connection: at first, and after many. What is out of descriptors would
/// fail again at once.
const PAUSE: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// Calls `callback` with everything that `accept` gives, until it answers with a break, or the listener is
/// watched no more: it was lost, or the reactor has closed its sources.
pub(super) fn each_accepted<L: AsSource + 'static, T: 'static>(
    listener: Rc<Async<L>>,
    label: Label,
    mut accept: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>> + 'static,
    mut callback: impl FnMut(io::Result<T>) -> ControlFlow<()> + 'static,
) -> Task<()> {
    let core = Rc::clone(listener.core());
    let sleeps = label.clone();
    let each = async move {
        let mut pause = PAUSE.0;
        loop {
            let accepted = poll_fn(&mut accept).await;
            let failed = accepted.is_err();
            // An error of a listener that is lost is the last one.
            let over = failed && !listener.is_watched();
            if callback(accepted).is_break() || over {
                return;
            }
            if failed {
                Sleep::new(listener.core(), pause, sleeps.clone()).await;
                pause = (pause * 2).min(PAUSE.1);
            } else {
                pause = PAUSE.0;
            }
        }
    };
    core.spawn(each, label)
}
