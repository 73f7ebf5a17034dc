//! As much of wxWidgets as the tests and the example application of `interloop-wx` need: it stands for the
//! C++ that a program has.
//!
//! Everything belongs to the main thread. Without an application, the functions do nothing.
#![allow(unsafe_code)]

#[path = "../../../qt/widgets/src/closure.rs"]
mod closure;

pub mod downloads_window;

use std::ffi::c_int;
use std::marker::PhantomData;
use std::time::Duration;

use closure::Closure;

#[repr(C)]
struct RawFrame {
    _opaque: [u8; 0],
}

unsafe extern "C" {
    safe fn wx_application_new(with_windows: bool) -> bool;
    safe fn wx_application_delete();
    safe fn wx_run();
    safe fn wx_exit_main_loop();
    safe fn wx_exit_active_loop();
    safe fn wx_call_after(closure: Closure);
    safe fn wx_every(milliseconds: c_int, closure: Closure);
    safe fn wx_idle_busily();
    safe fn wx_loop(again: Closure);
    safe fn wx_frame_new() -> *mut RawFrame;
    fn wx_dialog(frame: *mut RawFrame, again: Closure);
    fn wx_frame_close(frame: *mut RawFrame);
    fn wx_frame_forget(frame: *mut RawFrame);
}

/// The application. There is one at a time.
pub struct Application {
    // It belongs to its thread.
    _local: PhantomData<*mut ()>,
}

impl Application {
    /// A `wxAppConsole`, which needs no display.
    pub fn console() -> Option<Application> {
        Application::new(false)
    }

    /// A `wxApp`. None without a display.
    pub fn windows() -> Option<Application> {
        Application::new(true)
    }

    fn new(with_windows: bool) -> Option<Application> {
        wx_application_new(with_windows).then_some(Application { _local: PhantomData })
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        wx_application_delete();
    }
}

/// Runs the main loop until it is exited, and calls `OnExit` of the application.
pub fn run() {
    wx_run();
}

/// Exits the main loop.
pub fn exit_main_loop() {
    wx_exit_main_loop();
}

/// Exits the loop that runs on top.
pub fn exit_active_loop() {
    wx_exit_active_loop();
}

/// Calls back once from the loop.
pub fn call_after(callback: impl FnOnce() + 'static) {
    let mut callback = Some(callback);
    wx_call_after(Closure::new(move || {
        if let Some(callback) = callback.take() {
            callback();
        }
        false
    }));
}

/// Calls back by a wxTimer, as long as the application lives.
pub fn every(period: Duration, mut callback: impl FnMut() + 'static) {
    let milliseconds = c_int::try_from(period.as_millis()).expect("a short period");
    let again = move || {
        callback();
        true
    };
    wx_every(milliseconds, Closure::new(again));
}

/// Has the application handle idle events, and ask for more of them, without end.
pub fn idle_busily() {
    wx_idle_busily();
}

/// Runs an event loop while `again` says so.
pub fn nested_loop(again: impl FnMut() -> bool + 'static) {
    wx_loop(Closure::new(again));
}

/// An empty frame, shown. Closing the last one exits the main loop.
pub struct Frame {
    raw: *mut RawFrame,
}

impl Frame {
    /// Makes one, where the application has windows.
    pub fn new(_application: &Application) -> Frame {
        Frame { raw: wx_frame_new() }
    }

    /// Closes it as its user does.
    pub fn close(&self) {
        // SAFETY: the weak reference is there as long as `self`.
        unsafe { wx_frame_close(self.raw) }
    }

    /// Opens a modal dialog over it while `again` says so.
    pub fn dialog(&self, again: impl FnMut() -> bool + 'static) {
        // SAFETY: the weak reference is there as long as `self`.
        unsafe { wx_dialog(self.raw, Closure::new(again)) }
    }
}

impl Drop for Frame {
    fn drop(&mut self) {
        // SAFETY: the weak reference is there until now. The frame itself is wx's.
        unsafe { wx_frame_forget(self.raw) }
    }
}
