//! A callback's answer.

use interloop_backends::Interest;

/// What a source's callback wants next.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Action {
    /// Hear of the next event, of the interest that it was armed for.
    Rearm,
    /// Hear of the next event of this interest.
    RearmFor(Interest),
    /// Hear nothing until [`Source::arm`](crate::Source::arm).
    Disarm,
    /// End the registration and drop the callback. The object closes when the
    /// [`Source`](crate::Source), if somebody holds one, is dropped too.
    Remove,
}
