//! Asking the processor for memory that is about to be used.
#![allow(unsafe_code)]

/// Has the processor fetch the first and the last byte of this, while it goes on with what comes next. A read in
/// advance would do the same, but for holding up all that follows until its memory has come.
#[cfg(target_arch = "x86_64")]
#[inline]
pub(crate) fn prefetch<T>(soon: &T) {
    use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

    let first = std::ptr::from_ref(soon).cast::<i8>();
    // SAFETY: every x86-64 has the instruction, which does nothing that a program can see, whatever the address.
    unsafe {
        _mm_prefetch::<_MM_HINT_T0>(first);
        _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(size_of::<T>().saturating_sub(1)));
    }
}

/// Elsewhere, stable Rust has no name for it: it is read in advance.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub(crate) fn prefetch<T>(soon: &T) {
    use std::mem::MaybeUninit;

    let Some(last) = size_of::<T>().checked_sub(1) else { return };
    let first = std::ptr::from_ref(soon).cast::<MaybeUninit<u8>>();
    // SAFETY: both are bytes of what the reference stands for; that they may be padding is what `MaybeUninit` is for. No
    // other thread writes to them: what is fetched here are tables of the host thread, which nobody else has.
    unsafe {
        first.read_volatile();
        first.add(last).read_volatile();
    }
}
