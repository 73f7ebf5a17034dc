//! Which main context is this thread's.
#![allow(unsafe_code)]

use std::io;
use std::marker::PhantomData;
use std::mem;

use glib::translate::ToGlibPtr;
use glib::{MainContext, ffi};

/// A main context that this thread owns, until this is dropped: no other thread can iterate it, and run
/// there what belongs here. Owning nests, so loops on this thread are as they were.
pub(crate) struct Owned {
    context: MainContext,
    /// It is this thread that owns it.
    _not_send: PhantomData<*const ()>,
}

impl Owned {
    /// Takes the context that this thread iterates: its thread-default one, which is the global one where
    /// it has none of its own.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` when another thread owns it.
    pub(crate) fn take() -> io::Result<Owned> {
        let context = MainContext::ref_thread_default();
        match context.acquire() {
            Ok(guard) => mem::forget(guard),
            Err(_owned) => {
                let message = "another thread owns the main context: attach a reactor on the thread \
                               that runs the main loop, or give this thread a context of its own \
                               (MainContext::with_thread_default)";
                return Err(io::Error::new(io::ErrorKind::ResourceBusy, message));
            }
        }
        Ok(Owned { context, _not_send: PhantomData })
    }

    pub(crate) fn get(&self) -> &MainContext {
        &self.context
    }
}

impl Drop for Owned {
    fn drop(&mut self) {
        // SAFETY: this thread acquired the context in `take`, whose guard was forgotten, and this is no
        // other thread.
        unsafe { ffi::g_main_context_release(self.context.to_glib_none().0) };
    }
}
