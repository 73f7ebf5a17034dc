//! What a timer does.

use std::ops::ControlFlow;
use std::task::Waker;

use interloop_backends::Key;

use crate::callback::Callback;
use crate::clock::Nanos;
use crate::label::Label;

pub(crate) type Every = Box<dyn FnMut() -> ControlFlow<()>>;

/// What a timer does when it is due.
// Of two levels, in each of which a pointer that is never null tells the two apart: four words in all.
pub(crate) enum Fire {
    Once(Callback),
    Other(Other),
}

/// What is not a single callback.
pub(crate) enum Other {
    Every(Box<Periodic>),
    Wake(Waker),
}

/// What a timer does again and again.
pub(crate) struct Periodic {
    /// Out while it runs.
    pub(super) callback: Option<Every>,
    pub(super) period: Nanos,
}

/// What came due.
pub(crate) enum Due {
    Once(Callback, Label),
    Every(Key, Every),
    /// So many sleeps, whose wakers are in `Timers::over`.
    Sleeps(usize),
}

impl Fire {
    pub(crate) fn once(callback: impl FnOnce() + 'static) -> Fire {
        Fire::Once(Callback::new(callback))
    }

    pub(crate) fn every(callback: Every, period: Nanos) -> Fire {
        Fire::Other(Other::Every(Box::new(Periodic { callback: Some(callback), period })))
    }

    pub(crate) fn wake(waker: Waker) -> Fire {
        Fire::Other(Other::Wake(waker))
    }

    #[inline]
    pub(super) fn is_wake(&self) -> bool {
        matches!(self, Fire::Other(Other::Wake(_)))
    }

    /// What is done again and again.
    #[inline]
    pub(super) fn periodic(&mut self) -> Option<&mut Periodic> {
        match self {
            Fire::Other(Other::Every(periodic)) => Some(periodic),
            Fire::Other(Other::Wake(_)) | Fire::Once(_) => None,
        }
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use super::*;

    #[test]
    fn it_is_four_words() {
        assert_eq!(size_of::<Fire>(), 4 * size_of::<usize>());
    }
}
