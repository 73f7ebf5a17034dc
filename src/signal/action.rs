//! What the process does at a signal, as `sigaction` gives and takes it.
#![allow(unsafe_code)]

use std::io;
use std::mem::MaybeUninit;
use std::ptr;

use super::Signal;

/// An action that was in force once: the handler of a function, with its flags and mask, or to
/// ignore, or the default.
#[derive(Clone, Copy)]
pub(super) struct Action(libc::sigaction);

impl Action {
    /// The one that is in force.
    pub(super) fn current(signal: Signal) -> io::Result<Action> {
        exchange(signal, None)
    }

    /// Puts it in force again. Gives the one that was.
    pub(super) fn put_back(&self, signal: Signal) -> io::Result<Action> {
        exchange(signal, Some(self))
    }

    /// True when both call the same function in the same way.
    pub(super) fn is(&self, other: &Action) -> bool {
        self.0.sa_sigaction == other.0.sa_sigaction && self.0.sa_flags == other.0.sa_flags
    }
}

fn exchange(signal: Signal, new: Option<&Action>) -> io::Result<Action> {
    let mut old = MaybeUninit::<libc::sigaction>::zeroed();
    let new = new.map_or(ptr::null(), |action| ptr::from_ref(&action.0));
    // SAFETY: `new` is null, or an action that the kernel gave out for this signal. That its function
    // is still there, is for the host to see to: one that unloads a library takes its handlers back
    // first, and then this one is not in force, and not put back.
    if unsafe { libc::sigaction(signal.number(), new, old.as_mut_ptr()) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: it was zeroed, which is the default action, and written to by the call.
    Ok(Action(unsafe { old.assume_init() }))
}
