//! Shutdown triggers, as the user holds them.

use std::borrow::Cow;
use std::fmt;
use std::rc::Rc;

use interloop_backends::Key;

use crate::core::Core;
use crate::label::Label;

/// A future that runs when the reactor shuts down, from
/// [`Handle::on_shutdown`](crate::Handle::on_shutdown).
///
/// Dropping it removes the trigger, and cancels it where it runs already; [`detach`](Trigger::detach)
/// lets it go.
#[must_use = "dropping a trigger removes it; `detach` lets it go"]
pub struct Trigger {
    core: Rc<Core>,
    key: Option<Key>,
}

impl Trigger {
    pub(crate) fn new(core: &Rc<Core>, key: Key) -> Trigger {
        Trigger { core: Rc::clone(core), key: Some(key) }
    }

    /// Names the trigger, for reports and dumps.
    pub fn label(self, label: impl Into<Cow<'static, str>>) -> Trigger {
        if let Some(key) = self.key {
            self.core.shutdown.set_label(key, Label::named(label));
        }
        self
    }

    /// True until it has ended.
    pub fn is_pending(&self) -> bool {
        self.key.is_some_and(|key| self.core.shutdown.is_pending(key))
    }

    /// Removes the trigger, as dropping it does.
    pub fn remove(self) {}

    /// Lets the trigger go: it runs without anybody holding it.
    pub fn detach(mut self) {
        self.key = None;
    }
}

impl Drop for Trigger {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            self.core.remove_trigger(key);
        }
    }
}

impl fmt::Debug for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trigger").field("pending", &self.is_pending()).finish()
    }
}

/// What a trigger's future may come to: nothing, or a result, whose error is reported and does not
/// stop the others.
pub trait TriggerOutcome: sealed::Outcome {}

impl TriggerOutcome for () {}
impl<E: fmt::Display> TriggerOutcome for Result<(), E> {}

/// The outcome with its error as text.
pub(crate) fn into_result(outcome: impl TriggerOutcome) -> Result<(), String> {
    outcome.into_result()
}

mod sealed {
    use std::fmt::Display;

    pub trait Outcome {
        fn into_result(self) -> Result<(), String>;
    }

    impl Outcome for () {
        fn into_result(self) -> Result<(), String> {
            Ok(())
        }
    }

    impl<E: Display> Outcome for Result<(), E> {
        fn into_result(self) -> Result<(), String> {
            self.map_err(|error| error.to_string())
        }
    }
}
