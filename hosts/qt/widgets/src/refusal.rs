//! An event filter that refuses to quit, as a window with unsaved changes does.

use std::ffi::c_int;

use crate::Application;

unsafe extern "C" {
    safe fn qt_refusal_install();
    safe fn qt_refusal_refused() -> c_int;
    safe fn qt_refusal_exit();
}

/// Has the application refuse to quit. Qt 5 does not ask.
pub fn install(_application: &Application) {
    qt_refusal_install();
}

/// How often it has refused.
pub fn refused() -> usize {
    usize::try_from(qt_refusal_refused()).expect("a number of events")
}

/// Ends the loop of the application all the same.
pub fn exit() {
    qt_refusal_exit();
}
