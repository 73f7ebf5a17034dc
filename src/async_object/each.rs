//! Readiness by callbacks, for programs without `async`.

use std::io;
use std::ops::ControlFlow;
use std::rc::Rc;

use interloop_backends::{AsSource, Interest};

use super::Async;
use crate::label::Label;
use crate::task::Task;

impl<T: AsSource + 'static> Async<T> {
    /// Calls `callback` whenever the object is ready for `interest`, until it answers with a break.
    pub(crate) fn each_ready(
        self: Rc<Async<T>>,
        interest: Interest,
        label: Label,
        mut callback: impl FnMut(io::Result<&T>) -> ControlFlow<()> + 'static,
    ) -> Task<()> {
        let core = Rc::clone(self.core());
        let each = async move {
            loop {
                let ready = self.ready(interest).await;
                let over = ready.is_err();
                if callback(ready.map(|()| self.get_ref())).is_break() || over {
                    return;
                }
                // What is always ready lets others run.
                self.core().credit().await;
            }
        };
        core.spawn(each, label)
    }
}
