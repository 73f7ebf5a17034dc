//! A `GSource` of our own, for which the crate `glib` has no safe face.
//!
//! It is attached to its context once, for good. It is ready when its data says so, which its context asks
//! before and after each poll, and not by its ready time: `g_source_set_ready_time` writes to the wakeup
//! descriptor of the context when it sets the time, and once more when the dispatch clears it, so that
//! each dispatch would be followed by a poll that finds nothing else.
#![allow(unsafe_code)]

use std::ffi::c_int;
use std::marker::PhantomData;
use std::mem::{align_of, size_of};
#[cfg(unix)]
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;

use glib::translate::{FromGlibPtrFull, IntoGlib, ToGlibPtr};
use glib::{ControlFlow, MainContext, Priority, ffi};

/// What a source does when it is ready. It is called by whoever iterates the context, and dropped by
/// whoever lets go of the source last: hence the bounds.
pub(crate) trait Dispatch: Sized + Send + Sync + 'static {
    /// Whether the source is ready. None for one that is ready by its descriptor, and no other way.
    const IS_READY: Option<fn(&Self) -> bool>;

    /// Does it. `Break` ends the source.
    fn dispatch(&self) -> ControlFlow;
}

/// A source in its context, with a `D` behind it. It is destroyed when this is dropped, on whichever
/// thread.
pub(crate) struct Source<D> {
    source: glib::Source,
    context: MainContext,
    _data: PhantomData<D>,
}

/// How it lies in memory: GLib sees the `GSource`.
#[repr(C)]
struct Layout<D> {
    source: ffi::GSource,
    data: D,
}

impl<D: Dispatch> Source<D> {
    const FUNCTIONS: ffi::GSourceFuncs = ffi::GSourceFuncs {
        prepare: if D::IS_READY.is_some() { Some(prepare::<D>) } else { None },
        check: if D::IS_READY.is_some() { Some(check::<D>) } else { None },
        dispatch: Some(dispatch::<D>),
        finalize: Some(finalize::<D>),
        closure_callback: None,
        closure_marshal: None,
    };

    /// Attaches a source. It may recurse: it is dispatched in loops that its own dispatch has opened.
    pub(crate) fn attach(context: &MainContext, priority: Priority, data: D) -> Source<D> {
        const { assert!(align_of::<Layout<D>>() <= align_of::<u128>(), "as g_malloc aligns") };
        let functions: &'static ffi::GSourceFuncs = &Self::FUNCTIONS;
        let size = u32::try_from(size_of::<Layout<D>>()).expect("a source is small");
        // SAFETY: the size is that of `Layout<D>`, which begins with a `GSource`; GLib never writes to
        // the functions. `data` is written once, before anybody can dispatch or finalize the source,
        // and `from_glib_full` takes the one reference that there is.
        let source = unsafe {
            let raw = ffi::g_source_new(ptr::from_ref(functions).cast_mut(), size);
            (&raw mut (*raw.cast::<Layout<D>>()).data).write(data);
            ffi::g_source_set_name(raw, c"interloop".as_ptr());
            ffi::g_source_set_priority(raw, priority.into_glib());
            ffi::g_source_set_can_recurse(raw, ffi::GTRUE);
            glib::Source::from_glib_full(raw)
        };
        source.attach(Some(context));
        Source { source, context: context.clone(), _data: PhantomData }
    }

    /// Has the source dispatched while `fd` is readable. That has to stay open as long as the source is
    /// there.
    #[cfg(unix)]
    pub(crate) fn watch(&self, fd: BorrowedFd<'_>) {
        // SAFETY: `self.source` keeps the source. GLib is given a number; of a descriptor that was closed
        // it would poll another one, or none, but read from neither.
        unsafe {
            ffi::g_source_add_unix_fd(self.source.to_glib_none().0, fd.as_raw_fd(), ffi::G_IO_IN);
        }
    }

    /// What is behind the source.
    pub(crate) fn data(&self) -> &D {
        let raw: *mut ffi::GSource = self.source.to_glib_none().0;
        // SAFETY: `attach` made the source as a `Layout<D>`, whose data lives until the source is
        // finalized, which `self.source` keeps from happening, and is only ever lent as shared.
        unsafe { &(*raw.cast::<Layout<D>>()).data }
    }

    /// Has the context ask whether the source is ready. From any thread; it allocates nothing, and takes
    /// no lock. False when the source was destroyed, with its context or by name.
    pub(crate) fn signal(&self) -> bool {
        if self.source.is_destroyed() {
            return false;
        }
        self.context.wakeup();
        true
    }
}

impl<D> Drop for Source<D> {
    fn drop(&mut self) {
        self.source.destroy();
    }
}

unsafe extern "C" fn prepare<D: Dispatch>(
    source: *mut ffi::GSource,
    timeout: *mut c_int,
) -> ffi::gboolean {
    // SAFETY: GLib lends room for the time until the source has to be asked again: whoever signals it
    // wakes the context, so that there is none.
    unsafe { timeout.write(-1) };
    // SAFETY: as in `dispatch`.
    unsafe { check::<D>(source) }
}

unsafe extern "C" fn check<D: Dispatch>(source: *mut ffi::GSource) -> ffi::gboolean {
    // SAFETY: as in `dispatch`.
    let data = unsafe { &(*source.cast::<Layout<D>>()).data };
    D::IS_READY.is_some_and(|is_ready| is_ready(data)).into_glib()
}

unsafe extern "C" fn dispatch<D: Dispatch>(
    source: *mut ffi::GSource,
    _callback: ffi::GSourceFunc,
    _callback_data: ffi::gpointer,
) -> ffi::gboolean {
    // SAFETY: GLib calls a source of these functions, which `Source::attach` made as a `Layout<D>`, and
    // keeps it, and with it the data, while it does so.
    let data = unsafe { &(*source.cast::<Layout<D>>()).data };
    data.dispatch().into_glib()
}

unsafe extern "C" fn finalize<D: Dispatch>(source: *mut ffi::GSource) {
    // SAFETY: GLib finalizes a source of these functions once, when nobody refers to it any more.
    unsafe { ptr::drop_in_place(&raw mut (*source.cast::<Layout<D>>()).data) };
}
