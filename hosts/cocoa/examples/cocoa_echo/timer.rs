//! A timer of the run loop's own.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::c_void;
use std::ptr;

use core_foundation_sys::base::{CFRelease, CFTypeRef};
use core_foundation_sys::date::CFAbsoluteTimeGetCurrent;
use core_foundation_sys::runloop::{
    CFRunLoopAddTimer, CFRunLoopGetCurrent, CFRunLoopTimerContext, CFRunLoopTimerCreate,
    CFRunLoopTimerInvalidate, CFRunLoopTimerRef, kCFRunLoopCommonModes,
};

type Callback = RefCell<Box<dyn FnMut()>>;

/// Fires until it is dropped.
pub struct Timer {
    timer: CFRunLoopTimerRef,
    /// On the heap: the timer has its address.
    _callback: Box<Callback>,
}

impl Timer {
    pub fn each_second(callback: impl FnMut() + 'static) -> Timer {
        let callback: Box<Callback> = Box::new(RefCell::new(Box::new(callback)));
        let mut context = CFRunLoopTimerContext {
            version: 0,
            info: (&raw const *callback).cast_mut().cast::<c_void>(),
            retain: None,
            release: None,
            copyDescription: None,
        };
        // SAFETY: the context is copied, and the callback lives until the timer is invalidated.
        let timer = unsafe {
            let first = CFAbsoluteTimeGetCurrent() + 1.0;
            let timer = CFRunLoopTimerCreate(ptr::null(), first, 1.0, 0, 0, fire, &mut context);
            CFRunLoopAddTimer(CFRunLoopGetCurrent(), timer, kCFRunLoopCommonModes);
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
    // SAFETY: it is that of `each_second`, and lives until the timer is invalidated.
    let callback = unsafe { &*info.cast_const().cast::<Callback>() };
    callback.borrow_mut()();
}
