//! The autorelease pool of a turn.
#![allow(unsafe_code)]

use std::ffi::c_void;

#[link(name = "objc", kind = "dylib")]
unsafe extern "C" {
    safe fn objc_autoreleasePoolPush() -> *mut c_void;
    fn objc_autoreleasePoolPop(pool: *mut c_void);
}

/// Runs `work`, and then releases what it has autoreleased. It is called where a panic ends the process.
pub(crate) fn with_pool(work: impl FnOnce()) {
    let pool = objc_autoreleasePoolPush();
    work();
    // SAFETY: it is the innermost pool of this thread again: whatever `work` has pushed, it has popped.
    unsafe { objc_autoreleasePoolPop(pool) };
}
