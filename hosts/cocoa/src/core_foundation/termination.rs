//! `-[NSApplication terminate:]`, which ends the process without returning.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use core_foundation_sys::dictionary::CFDictionaryRef;
use core_foundation_sys::notification_center::{
    CFNotificationCenterAddObserver, CFNotificationCenterGetLocalCenter, CFNotificationCenterRef,
    CFNotificationCenterRemoveEveryObserver, CFNotificationName,
    CFNotificationSuspensionBehaviorDeliverImmediately,
};
use core_foundation_sys::runloop::CFRunLoopGetMain;

use super::object;
use crate::modes::Modes;

type End = Rc<dyn Fn()>;

/// Calls a function when the application says that it will terminate, until this is dropped.
pub(crate) struct Termination {
    /// On the heap: its address is the observer.
    end: Box<End>,
}

impl Termination {
    /// None on threads that are not the main one: the application tells only that.
    pub(crate) fn observe(end: impl Fn() + 'static) -> Option<Termination> {
        // SAFETY: the main run loop is always there.
        if unsafe { CFRunLoopGetMain() } != object::current().get() {
            return None;
        }
        let names = object::names(&Modes::only("NSApplicationWillTerminateNotification")).ok()?;
        let termination = Termination { end: Box::new(Rc::new(end)) };
        // SAFETY: the name is a string; the callback expects the observer that it is given here, which is
        // removed before it goes.
        unsafe {
            CFNotificationCenterAddObserver(
                CFNotificationCenterGetLocalCenter(),
                termination.observer(),
                terminates,
                names[0].get(),
                ptr::null(),
                CFNotificationSuspensionBehaviorDeliverImmediately,
            );
        }
        Some(termination)
    }

    fn observer(&self) -> *const c_void {
        (&raw const *self.end).cast()
    }
}

impl Drop for Termination {
    fn drop(&mut self) {
        // SAFETY: the center lives as long as the process.
        unsafe {
            let center = CFNotificationCenterGetLocalCenter();
            CFNotificationCenterRemoveEveryObserver(center, self.observer());
        }
    }
}

extern "C" fn terminates(
    _center: CFNotificationCenterRef,
    observer: *mut c_void,
    _name: CFNotificationName,
    _object: *const c_void,
    _details: CFDictionaryRef,
) {
    // SAFETY: it is the observer of a `Termination` that is there yet. Notifications of the application come
    // on the main thread, which is that of the `Termination`. That may go while the function runs, as a callback
    // may own the guard.
    let end = unsafe { Rc::clone(&*observer.cast::<End>()) };
    end();
}
