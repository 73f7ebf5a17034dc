//! Closures of Rust's in the hands of C++.

use std::cell::RefCell;
use std::ffi::c_void;

/// A closure that C++ owns: it calls it any number of times, and drops it once, on the thread of the
/// application. A call that comes while it runs does nothing, and a panic in it aborts.
#[repr(C)]
pub(crate) struct Closure {
    data: *mut c_void,
    call: extern "C" fn(*mut c_void) -> bool,
    drop: extern "C" fn(*mut c_void),
}

impl Closure {
    pub(crate) fn new<F: FnMut() -> bool + 'static>(f: F) -> Closure {
        let data = Box::into_raw(Box::new(RefCell::new(f))).cast();
        Closure { data, call: call::<F>, drop: drop_it::<F> }
    }
}

extern "C" fn call<F: FnMut() -> bool>(data: *mut c_void) -> bool {
    // SAFETY: it is the box of `Closure::new`, which is dropped after the last call.
    let f = unsafe { &*data.cast::<RefCell<F>>() };
    f.try_borrow_mut().map_or(true, |mut f| f())
}

extern "C" fn drop_it<F>(data: *mut c_void) {
    // SAFETY: it is the box of `Closure::new`, and is dropped once.
    drop(unsafe { Box::from_raw(data.cast::<RefCell<F>>()) });
}
