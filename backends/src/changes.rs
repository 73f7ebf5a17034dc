//! What the registering thread tells the waiting one, where that owns what is armed.

use std::os::fd::BorrowedFd;

use crate::{Interest, Key, Mode};

/// An armed registration.
pub(crate) struct Entry {
    pub(crate) key: Key,
    /// Open until the deletion of the registration was reported as released, by the contract of
    /// `Poller::add`; that is why nothing borrows it.
    pub(crate) source: BorrowedFd<'static>,
    pub(crate) interest: Interest,
    pub(crate) mode: Mode,
}

pub(crate) enum Change {
    Arm(Entry),
    Disarm(Key),
    Delete(Key),
}
