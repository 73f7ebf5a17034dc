//! The C++ shim, `shim.cpp`, in Rust's terms.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::c_int;
use std::marker::PhantomData;
use std::os::fd::{AsFd, AsRawFd};
use std::time::Duration;

// What the build script builds is linked to the package's library.
use interloop_benches as _;

use super::closure::RawClosure;

mod raw {
    use std::ffi::c_int;

    use super::RawClosure;

    #[repr(C)]
    pub(super) struct Application {
        _opaque: [u8; 0],
    }

    #[repr(C)]
    pub(super) struct Notifier {
        _opaque: [u8; 0],
    }

    #[repr(C)]
    pub(super) struct Timer {
        _opaque: [u8; 0],
    }

    #[repr(C)]
    pub(super) struct Object {
        _opaque: [u8; 0],
    }

    unsafe extern "C" {
        pub(super) safe fn interloop_benches_qt_application_new() -> *mut Application;
        pub(super) fn interloop_benches_qt_application_delete(application: *mut Application);
        pub(super) safe fn interloop_benches_qt_exec();
        pub(super) safe fn interloop_benches_qt_quit();
        pub(super) fn interloop_benches_qt_notifier_new(
            descriptor: c_int,
            ready: *const RawClosure,
        ) -> *mut Notifier;
        pub(super) fn interloop_benches_qt_notifier_delete(notifier: *mut Notifier);
        pub(super) fn interloop_benches_qt_timer_new(
            milliseconds: c_int,
            is_single_shot: bool,
            fire: *const RawClosure,
        ) -> *mut Timer;
        pub(super) fn interloop_benches_qt_timer_delete(timer: *mut Timer);
        pub(super) fn interloop_benches_qt_single_shot(
            milliseconds: c_int,
            fire: *const RawClosure,
        );
        pub(super) fn interloop_benches_qt_object_new(application: *mut Application)
        -> *mut Object;
        pub(super) fn interloop_benches_qt_invoke(object: *mut Object, call: *const RawClosure);
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

    /// `QTimer::singleShot`: calls `fire` once, so much later.
    pub(crate) fn single_shot(&self, delay: Duration, fire: impl Fn() + 'static) {
        let fire = RawClosure::new(fire);
        // SAFETY: Qt takes over `fire`, which nobody has after this.
        unsafe { raw::interloop_benches_qt_single_shot(milliseconds(delay), &raw const fire) };
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
    /// What it was made for outlives it.
    _borrows: PhantomData<(&'a Application, F)>,
}

impl<'a, F: Fn() + 'a> Notifier<'a, F> {
    /// `source` has to stay open as long as this is there, which is why it is borrowed for so long.
    pub(crate) fn new(_application: &'a Application, source: &'a impl AsFd, ready: F) -> Self {
        let ready = RawClosure::new(ready);
        let descriptor = source.as_fd().as_raw_fd();
        // SAFETY: the notifier takes over `ready`, which nobody has after this, and is deleted before what that borrows
        // has gone.
        let raw = unsafe { raw::interloop_benches_qt_notifier_new(descriptor, &raw const ready) };
        Notifier { raw, _borrows: PhantomData }
    }
}

impl<F: Fn()> Drop for Notifier<'_, F> {
    fn drop(&mut self) {
        // SAFETY: it is there until now, and nobody else has it. It is not inside its closure, which does not own it.
        unsafe { raw::interloop_benches_qt_notifier_delete(self.raw) };
    }
}

/// A QTimer, which calls `F`. It is stopped when this is dropped.
pub(crate) struct Timer<'a, F: Fn()> {
    raw: *mut raw::Timer,
    /// What it was made for outlives it.
    _borrows: PhantomData<(&'a Application, F)>,
}

impl<'a, F: Fn() + 'a> Timer<'a, F> {
    /// One that fires once.
    pub(crate) fn once(application: &'a Application, delay: Duration, fire: F) -> Self {
        Timer::new(application, delay, true, fire)
    }

    /// One that fires again and again.
    pub(crate) fn every(application: &'a Application, period: Duration, fire: F) -> Self {
        Timer::new(application, period, false, fire)
    }

    fn new(_application: &'a Application, delay: Duration, once: bool, fire: F) -> Self {
        let fire = RawClosure::new(fire);
        // SAFETY: the timer takes over `fire`, which nobody has after this, and is deleted before what that borrows has
        // gone.
        let raw = unsafe {
            raw::interloop_benches_qt_timer_new(milliseconds(delay), once, &raw const fire)
        };
        Timer { raw, _borrows: PhantomData }
    }
}

impl<F: Fn()> Drop for Timer<'_, F> {
    fn drop(&mut self) {
        // SAFETY: it is there until now, and nobody else has it. It is not inside its closure, which does not own it.
        unsafe { raw::interloop_benches_qt_timer_delete(self.raw) };
    }
}

/// A QObject of the application's thread, for other threads. It is the application's, which is there for ever.
#[derive(Clone)]
pub(crate) struct Object(*mut raw::Object);

// SAFETY: all that can be done with it is `invoke`, which may be done on any thread.
unsafe impl Send for Object {}

impl Object {
    pub(crate) fn new(application: &'static Application) -> Object {
        // SAFETY: the application is there, and this is its thread, as it stays there.
        Object(unsafe { raw::interloop_benches_qt_object_new(application.0) })
    }

    /// `QMetaObject::invokeMethod` by a queued connection: calls `call` on the application's thread.
    pub(crate) fn invoke(&self, call: impl FnOnce() + Send + 'static) {
        let call = Cell::new(Some(call));
        let call = RawClosure::new(move || call.take().into_iter().for_each(|call| call()));
        // SAFETY: the object is there, as its application is, and Qt takes over `call`, which nobody has after this. It
        // may go to another thread.
        unsafe { raw::interloop_benches_qt_invoke(self.0, &raw const call) };
    }
}

/// What is left over of a millisecond is lost, as in GLib's timeouts.
fn milliseconds(delay: Duration) -> c_int {
    c_int::try_from(delay.as_millis()).unwrap_or(c_int::MAX)
}
