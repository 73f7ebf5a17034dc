//! The run loop of this thread, as programs use it.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{CString, c_void};
use std::ptr;
use std::time::Duration;

use core_foundation_sys::base::{CFRelease, CFTypeRef};
use core_foundation_sys::date::CFAbsoluteTimeGetCurrent;
use core_foundation_sys::runloop::{
    CFRunLoopAddCommonMode, CFRunLoopAddSource, CFRunLoopAddTimer, CFRunLoopGetCurrent,
    CFRunLoopRef, CFRunLoopRun, CFRunLoopRunInMode, CFRunLoopSourceContext, CFRunLoopSourceCreate,
    CFRunLoopSourceInvalidate, CFRunLoopSourceRef, CFRunLoopSourceSignal, CFRunLoopStop,
    CFRunLoopTimerContext, CFRunLoopTimerCreate, CFRunLoopTimerInvalidate, CFRunLoopTimerRef,
    CFRunLoopWakeUp, kCFRunLoopCommonModes,
};
use core_foundation_sys::string::{CFStringCreateWithCString, CFStringRef, kCFStringEncodingUTF8};

fn current() -> CFRunLoopRef {
    // SAFETY: every thread has one.
    unsafe { CFRunLoopGetCurrent() }
}

pub fn run() {
    // SAFETY: it takes nothing.
    unsafe { CFRunLoopRun() };
}

pub fn stop() {
    // SAFETY: the run loop lives as long as its thread.
    unsafe { CFRunLoopStop(current()) };
}

/// A mode, or another string, by its name. It lives as long as the process.
fn mode(name: &str) -> CFStringRef {
    let name = CString::new(name).expect("a name without zeros");
    // SAFETY: the name ends with a zero.
    unsafe { CFStringCreateWithCString(ptr::null(), name.as_ptr(), kCFStringEncodingUTF8) }
}

fn common_modes() -> CFStringRef {
    // SAFETY: it is set before anything runs.
    unsafe { kCFRunLoopCommonModes }
}

pub fn add_common_mode(name: &str) {
    // SAFETY: the mode is a string.
    unsafe { CFRunLoopAddCommonMode(current(), mode(name)) };
}

/// Runs the loop in this mode once, for `limit` at the most, or until a source was handled. A mode in which
/// there is nothing is left at once.
pub fn run_in(name: &str, limit: Duration) {
    // SAFETY: the mode is a string.
    unsafe { CFRunLoopRunInMode(mode(name), limit.as_secs_f64(), 1) };
}

/// Posts a notification in the process.
#[cfg(target_os = "macos")]
pub fn post(name: &str) {
    use core_foundation_sys::notification_center::{
        CFNotificationCenterGetLocalCenter, CFNotificationCenterPostNotification,
    };

    // SAFETY: the center lives as long as the process, and the name is a string.
    unsafe {
        let center = CFNotificationCenterGetLocalCenter();
        CFNotificationCenterPostNotification(center, mode(name), ptr::null(), ptr::null(), 1);
    }
}

type Callback = Box<dyn FnMut()>;

/// A timer that fires again and again, in the common modes, until this is dropped.
pub struct Timer {
    timer: CFRunLoopTimerRef,
    _callback: Box<RefCell<Callback>>,
}

impl Timer {
    pub fn every(period: Duration, callback: Callback) -> Timer {
        let callback = Box::new(RefCell::new(callback));
        let mut context = CFRunLoopTimerContext {
            version: 0,
            info: (&raw const *callback).cast_mut().cast::<c_void>(),
            retain: None,
            release: None,
            copyDescription: None,
        };
        let period = period.as_secs_f64();
        // SAFETY: the context is copied, and the callback lives until the timer is invalidated.
        let timer = unsafe {
            let first = CFAbsoluteTimeGetCurrent() + period;
            let timer = CFRunLoopTimerCreate(ptr::null(), first, period, 0, 0, fire, &mut context);
            CFRunLoopAddTimer(current(), timer, common_modes());
            timer
        };
        Timer { timer, _callback: callback }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        // SAFETY: the reference is that of its creation.
        unsafe {
            CFRunLoopTimerInvalidate(self.timer);
            CFRelease(self.timer as CFTypeRef);
        }
    }
}

extern "C" fn fire(_timer: CFRunLoopTimerRef, info: *mut c_void) {
    // SAFETY: it is that of `Timer::every`, which lives until the timer is invalidated.
    let callback = unsafe { &*info.cast_const().cast::<RefCell<Callback>>() };
    // It may open a loop, in which it does not fire again.
    if let Ok(mut callback) = callback.try_borrow_mut() {
        callback();
    }
}

/// A source that calls back when it is signalled.
pub struct Signal(CFRunLoopSourceRef);

impl Signal {
    /// `perform` gets `info`, which has to outlive the signal.
    pub fn new(info: *const c_void, perform: extern "C" fn(*const c_void)) -> Signal {
        let mut context = CFRunLoopSourceContext {
            version: 0,
            info: info.cast_mut(),
            retain: None,
            release: None,
            copyDescription: None,
            equal: None,
            hash: None,
            schedule: None,
            cancel: None,
            perform,
        };
        // SAFETY: the context is copied.
        unsafe {
            let source = CFRunLoopSourceCreate(ptr::null(), 0, &mut context);
            CFRunLoopAddSource(current(), source, common_modes());
            Signal(source)
        }
    }

    pub fn signal(&self) {
        // SAFETY: the source is kept.
        unsafe {
            CFRunLoopSourceSignal(self.0);
            CFRunLoopWakeUp(current());
        }
    }
}

impl Drop for Signal {
    fn drop(&mut self) {
        // SAFETY: the reference is that of its creation.
        unsafe {
            CFRunLoopSourceInvalidate(self.0);
            CFRelease(self.0 as CFTypeRef);
        }
    }
}
