//! The C++ shim, `shim.cpp`, in Rust's terms.
//!
//! A callback that panics here aborts the process: nothing may unwind through Qt.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd};

// What the build script builds is linked to the package's library.
use interloop_benches as _;

mod raw {
    use std::ffi::{c_int, c_void};

    #[repr(C)]
    pub(super) struct Application {
        _opaque: [u8; 0],
    }

    #[repr(C)]
    pub(super) struct Notifier {
        _opaque: [u8; 0],
    }

    unsafe extern "C" {
        pub(super) safe fn interloop_benches_qt_application_new() -> *mut Application;
        pub(super) fn interloop_benches_qt_application_delete(application: *mut Application);
        pub(super) safe fn interloop_benches_qt_exec();
        pub(super) safe fn interloop_benches_qt_quit();
        pub(super) fn interloop_benches_qt_notifier_new(
            descriptor: c_int,
            ready: extern "C" fn(*mut c_void),
            data: *mut c_void,
        ) -> *mut Notifier;
        pub(super) fn interloop_benches_qt_notifier_delete(notifier: *mut Notifier);
    }
}

/// The QCoreApplication. It stays on its thread.
pub(crate) struct Application(*mut raw::Application);

impl Application {
    pub(crate) fn new() -> Application {
        Application(raw::interloop_benches_qt_application_new())
    }

    /// Runs the loop until it is told to quit.
    pub(crate) fn exec(&self) {
        raw::interloop_benches_qt_exec();
    }

    /// Quits the loop that runs on this thread.
    pub(crate) fn quit() {
        raw::interloop_benches_qt_quit();
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // SAFETY: it is there until now, and nobody else has it.
        unsafe { raw::interloop_benches_qt_application_delete(self.0) }
    }
}

/// A QSocketNotifier, which calls `F` while its descriptor is readable.
pub(crate) struct Notifier<'a, F: Fn()> {
    raw: *mut raw::Notifier,
    ready: *mut F,
    /// What it was made for outlives it.
    _borrows: PhantomData<(&'a Application, F)>,
}

impl<'a, F: Fn() + 'a> Notifier<'a, F> {
    /// `source` has to stay open as long as this is there, which is why it is borrowed for so long.
    pub(crate) fn new(_application: &'a Application, source: &'a impl AsFd, ready: F) -> Self {
        let ready = Box::into_raw(Box::new(ready));
        let descriptor = source.as_fd().as_raw_fd();
        // SAFETY: `call` takes what `ready` points to for an `F`, which it is until `drop` has deleted
        // the notifier.
        let raw =
            unsafe { raw::interloop_benches_qt_notifier_new(descriptor, call::<F>, ready.cast()) };
        Notifier { raw, ready, _borrows: PhantomData }
    }
}

impl<F: Fn()> Drop for Notifier<'_, F> {
    fn drop(&mut self) {
        // SAFETY: it is there until now, and nobody else has it. It is not inside `call`, as its owner is
        // not what it calls.
        unsafe { raw::interloop_benches_qt_notifier_delete(self.raw) };
        // SAFETY: it comes from `Box::into_raw`, and Qt has forgotten it.
        drop(unsafe { Box::from_raw(self.ready) });
    }
}

extern "C" fn call<F: Fn()>(ready: *mut c_void) {
    // SAFETY: it is the `F` that `Notifier::new` has boxed, and only ever lent as shared.
    let ready = unsafe { &*ready.cast_const().cast::<F>() };
    ready();
}
