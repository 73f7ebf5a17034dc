//! A closure that Qt owns, as it owns a lambda of C++'s.
//!
//! What it captures lies in the object of Qt's that calls it: nothing is allocated for it. One that panics aborts the
//! process: nothing may unwind through Qt.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::mem::MaybeUninit;

/// Room for what a closure captures.
type Captured = [MaybeUninit<*mut c_void>; 4];

/// `RawClosure` of the shim. Whoever is given its address takes it over, and calls and drops it in another place.
#[repr(C)]
pub(super) struct RawClosure {
    call: unsafe extern "C" fn(*mut c_void),
    drop: unsafe extern "C" fn(*mut c_void),
    captured: Captured,
}

impl RawClosure {
    pub(super) fn new<F: Fn()>(function: F) -> RawClosure {
        const {
            assert!(
                size_of::<F>() <= size_of::<Captured>(),
                "it captures more than there is room for"
            );
            assert!(align_of::<F>() <= align_of::<Captured>(), "it captures what has an alignment");
        }
        let mut captured: Captured = [MaybeUninit::uninit(); 4];
        // SAFETY: there is room for it, at an address that suits it.
        unsafe { captured.as_mut_ptr().cast::<F>().write(function) };
        RawClosure { call: call::<F>, drop: drop_captured::<F>, captured }
    }
}

unsafe extern "C" fn call<F: Fn()>(captured: *mut c_void) {
    // SAFETY: it is the `F` that `RawClosure::new` has taken, and only ever lent as shared.
    let function = unsafe { &*captured.cast_const().cast::<F>() };
    function();
}

unsafe extern "C" fn drop_captured<F>(captured: *mut c_void) {
    // SAFETY: it is the `F` that `RawClosure::new` has taken, and its owner, which calls this once, ends.
    unsafe { captured.cast::<F>().drop_in_place() };
}
