//! Without the feature `net` no source remembers anything: there is no cache.

use std::task::Waker;

use interloop_backends::{Interest, Mode, Readiness};

pub(crate) enum Cache {}

impl Cache {
    pub(crate) fn mode(&self) -> Mode {
        match *self {}
    }

    pub(crate) fn wanted(&self) -> Interest {
        match *self {}
    }

    pub(crate) fn ready(&mut self, _readiness: Readiness) {
        match *self {}
    }

    pub(crate) fn next_waker(&mut self) -> Option<Waker> {
        match *self {}
    }

    pub(crate) fn into_wakers(self) -> std::iter::Empty<Waker> {
        match self {}
    }
}
