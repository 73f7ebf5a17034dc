//! An event filter that sees for how long the objects of an adapter are there.

use std::ffi::c_int;

use crate::Application;

unsafe extern "C" {
    safe fn qt_witness_install();
    safe fn qt_witness_alive() -> c_int;
}

/// Has the application remember every object that gets an event of a user's type, and every owner of a socket
/// notifier that is activated.
pub fn install(_application: &Application) {
    qt_witness_install();
}

/// How many of them are there yet. None without an application.
pub fn alive() -> usize {
    usize::try_from(qt_witness_alive()).expect("a number of objects")
}
