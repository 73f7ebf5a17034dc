//! Without the feature `net` no source remembers anything: there is no cache.

use std::task::Waker;

use interloop_backends::{Interest, Mode, Readiness};

pub(crate) enum Cache {}

impl Cache {
    pub(crate) fn mode(&self) -> Mode {
        match *self {}
    }

    pub(crate) fn tell(&self) -> Interest {
        match *self {}
    }

    pub(crate) fn ready(
        &self,
        _readiness: Readiness,
        _wake: impl FnOnce(&Waker) -> bool,
    ) -> Option<Waker> {
        match *self {}
    }

    pub(crate) fn next_waker(&self) -> Option<Waker> {
        match *self {}
    }

    pub(crate) fn is_crowded(&self) -> bool {
        match *self {}
    }

    pub(crate) fn close(&self) -> std::iter::Empty<Waker> {
        match *self {}
    }
}
