//! As much of Qt as the tests and the example application of `interloop-qt` need: it stands for the
//! binding, or the C++, that a program has.
//!
//! Everything but [`nested_loop`] belongs to the thread of the application.
#![allow(unsafe_code)]

pub mod chat_window;
mod closure;
pub mod refusal;
pub mod slow_dispatcher;
pub mod witness;

use std::ffi::{CStr, c_char, c_int};
use std::time::Duration;

use closure::Closure;

#[repr(C)]
struct RawApplication {
    _opaque: [u8; 0],
}

#[repr(C)]
struct RawWindow {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    safe fn qt_application_new(with_widgets: bool) -> *mut RawApplication;
    fn qt_application_delete(application: *mut RawApplication);
    safe fn qt_exec();
    safe fn qt_quit();
    safe fn qt_version() -> *const c_char;
    safe fn qt_dispatcher() -> *const c_char;
    safe fn qt_post(closure: Closure);
    safe fn qt_every(milliseconds: c_int, closure: Closure);
    safe fn qt_loop(again: Closure);
    fn qt_dialog(window: *mut RawWindow, again: Closure);
    fn qt_message_box(window: *mut RawWindow, again: Closure);
    safe fn qt_window_new() -> *mut RawWindow;
    fn qt_window_close(window: *mut RawWindow);
    fn qt_window_delete(window: *mut RawWindow);
    safe fn atexit(call: extern "C" fn()) -> c_int;
}

/// The QCoreApplication. There is one at a time.
pub struct Application {
    raw: *mut RawApplication,
}

impl Application {
    /// One without windows, which needs no display.
    pub fn core() -> Application {
        Application { raw: qt_application_new(false) }
    }

    /// A QApplication. Without a display it ends the process: see [`has_display`].
    pub fn widgets() -> Application {
        Application { raw: qt_application_new(true) }
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        // SAFETY: it is there until now.
        unsafe { qt_application_delete(self.raw) }
    }
}

/// Runs the loop of the application until it quits.
pub fn exec() {
    qt_exec();
}

/// Quits the loop of the application.
pub fn quit() {
    qt_quit();
}

/// Calls back when the process exits, after what is registered from here on.
pub fn at_exit(callback: extern "C" fn()) {
    assert_eq!(atexit(callback), 0, "there is no room for it");
}

/// Calls back once from the loop, where there is an application.
pub fn post(callback: impl FnOnce() + 'static) {
    let mut callback = Some(callback);
    qt_post(Closure::new(move || {
        if let Some(callback) = callback.take() {
            callback();
        }
        false
    }));
}

/// Calls back by a QTimer, as long as the application lives, where there is one.
pub fn every(period: Duration, mut callback: impl FnMut() + 'static) {
    let milliseconds = c_int::try_from(period.as_millis()).expect("a short period");
    qt_every(
        milliseconds,
        Closure::new(move || {
            callback();
            true
        }),
    );
}

/// Runs a QEventLoop while `again` says so, on any thread.
pub fn nested_loop(again: impl FnMut() -> bool + 'static) {
    qt_loop(Closure::new(again));
}

/// The version of Qt at run time.
pub fn version() -> &'static str {
    text(qt_version())
}

/// The class of the event dispatcher of this thread, as `QEventDispatcherGlib`. Empty where there is none.
pub fn dispatcher() -> &'static str {
    text(qt_dispatcher())
}

fn text(text: *const c_char) -> &'static str {
    // SAFETY: Qt's text is a constant of its library.
    unsafe { CStr::from_ptr(text) }.to_str().expect("it is ASCII")
}

/// Whether a QApplication can be made: there is a display, or a platform that needs none is chosen.
pub fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let platform = std::env::var("QT_QPA_PLATFORM").unwrap_or_default();
    let needs_none = ["offscreen", "minimal"].iter().any(|name| platform.starts_with(name));
    needs_none || set("DISPLAY") || set("WAYLAND_DISPLAY") || !cfg!(target_os = "linux")
}

/// An empty window, shown. Closing the last window quits the application.
pub struct Window {
    raw: *mut RawWindow,
}

impl Window {
    /// Makes one. It has to be dropped before the application.
    pub fn new(_application: &Application) -> Window {
        Window { raw: qt_window_new() }
    }

    /// Closes it as its user does.
    pub fn close(&self) {
        // SAFETY: it is there as long as `self`.
        unsafe { qt_window_close(self.raw) }
    }

    /// Opens a modal QDialog over it while `again` says so.
    pub fn dialog(&self, again: impl FnMut() -> bool + 'static) {
        // SAFETY: it is there as long as `self`.
        unsafe { qt_dialog(self.raw, Closure::new(again)) }
    }

    /// Opens a QMessageBox over it while `again` says so.
    pub fn message_box(&self, again: impl FnMut() -> bool + 'static) {
        // SAFETY: it is there as long as `self`.
        unsafe { qt_message_box(self.raw, Closure::new(again)) }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        // SAFETY: it is there until now.
        unsafe { qt_window_delete(self.raw) }
    }
}
