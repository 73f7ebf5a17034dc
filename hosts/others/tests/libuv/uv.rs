//! A loop of libuv and its handles, in terms of Rust.
#![allow(unsafe_code)]

use std::alloc::{self, Layout};
use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

use crate::sys::{self, Kind};

/// A loop, until `destroy`.
pub struct Loop {
    raw: *mut sys::Loop,
    destroyed: Cell<bool>,
}

/// A handle of a loop. libuv owns one reference to it, from `add` until it has closed it.
pub struct Handle {
    /// Null once it is closed.
    raw: Cell<*mut sys::Handle>,
    kind: Kind,
    callback: Box<dyn Fn(&Handle)>,
}

/// The way to an async handle for other threads.
pub struct Sender(*mut sys::Handle);

// SAFETY: `uv_async_send` may be called on any thread; that the handle is there is the condition of
// `Handle::sender`.
unsafe impl Send for Sender {}
// SAFETY: as above.
unsafe impl Sync for Sender {}

impl Sender {
    /// Has the handle's callback called.
    pub fn send(&self) -> io::Result<()> {
        // SAFETY: who took the sender keeps the handle open as long as this may be called.
        check(unsafe { sys::uv_async_send(self.0) })
    }
}

fn check(answer: c_int) -> io::Result<()> {
    if answer >= 0 {
        return Ok(());
    }
    // SAFETY: for every error, the library gives a string that it does not free.
    let message = unsafe { CStr::from_ptr(sys::uv_strerror(answer)) };
    Err(io::Error::other(message.to_string_lossy().into_owned()))
}

fn layout(size: usize) -> Layout {
    assert!(size > 0, "libuv tells the sizes of its types");
    Layout::from_size_align(size, align_of::<u128>()).expect("libuv's types are small")
}

/// Memory for a type of libuv.
fn allocate<T>(size: usize) -> *mut T {
    let layout = layout(size);
    // SAFETY: the layout is not empty.
    let memory = unsafe { alloc::alloc_zeroed(layout) };
    if memory.is_null() {
        alloc::handle_alloc_error(layout);
    }
    memory.cast()
}

impl Loop {
    pub fn new() -> io::Result<Loop> {
        // SAFETY: the memory is of the size that the library tells, and stays where it is.
        unsafe {
            let raw = allocate(sys::uv_loop_size());
            check(sys::uv_loop_init(raw))?;
            Ok(Loop { raw, destroyed: Cell::new(false) })
        }
    }

    pub fn run(&self) {
        assert!(!self.destroyed.get(), "the loop was destroyed");
        // SAFETY: the loop is there, and this is its thread, as a `Loop` is not `Send`.
        unsafe { sys::uv_run(self.raw, sys::RUN_DEFAULT) };
    }

    /// Has `run` return.
    pub fn stop(&self) {
        if !self.destroyed.get() {
            // SAFETY: as in `run`.
            unsafe { sys::uv_stop(self.raw) };
        }
    }

    /// Adds a handle, with `init` of its kind.
    fn add(
        &self,
        kind: Kind,
        callback: impl Fn(&Handle) + 'static,
        init: impl FnOnce(*mut sys::Handle) -> c_int,
    ) -> io::Result<Rc<Handle>> {
        assert!(!self.destroyed.get(), "the loop was destroyed");
        // SAFETY: the size is that of the kind, as `init` is. One reference goes to libuv, and comes back
        // in `on_close`.
        unsafe {
            let size = sys::uv_handle_size(kind);
            let raw = allocate(size);
            if let Err(error) = check(init(raw)) {
                alloc::dealloc(raw.cast(), layout(size));
                return Err(error);
            }
            let handle = Handle { raw: Cell::new(raw), kind, callback: Box::new(callback) };
            let handle = Rc::new(handle);
            sys::uv_handle_set_data(raw, Rc::into_raw(Rc::clone(&handle)).cast_mut().cast());
            Ok(handle)
        }
    }

    /// A handle that other threads can have called.
    pub fn add_async(&self, callback: impl Fn(&Handle) + 'static) -> io::Result<Rc<Handle>> {
        // SAFETY: `add` has allocated an async handle.
        self.add(Kind::Async, callback, |raw| unsafe { sys::uv_async_init(self.raw, raw, on_call) })
    }

    /// A handle that is called as long as the descriptor is readable. It has to be closed first.
    pub fn add_poll(
        &self,
        descriptor: BorrowedFd<'_>,
        callback: impl Fn(&Handle) + 'static,
    ) -> io::Result<Rc<Handle>> {
        let number = descriptor.as_raw_fd();
        // SAFETY: `add` has allocated a poll handle.
        let init = |raw| unsafe { sys::uv_poll_init(self.raw, raw, number) };
        let handle = self.add(Kind::Poll, callback, init)?;
        // SAFETY: it was initialised.
        let started = unsafe { sys::uv_poll_start(handle.raw.get(), sys::READABLE, on_poll) };
        check(started).inspect_err(|_| handle.close())?;
        Ok(handle)
    }

    /// A handle that is called after `delay`, and then again and again unless `period` is zero.
    pub fn add_timer(
        &self,
        delay: Duration,
        period: Duration,
        callback: impl Fn(&Handle) + 'static,
    ) -> io::Result<Rc<Handle>> {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        // SAFETY: `add` has allocated a timer.
        let init = |raw| unsafe { sys::uv_timer_init(self.raw, raw) };
        let handle = self.add(Kind::Timer, callback, init)?;
        let raw = handle.raw.get();
        // SAFETY: it was initialised.
        let started = unsafe { sys::uv_timer_start(raw, on_call, millis(delay), millis(period)) };
        check(started).inspect_err(|_| handle.close())?;
        Ok(handle)
    }

    /// Closes all handles, and then the loop.
    pub fn destroy(&self) {
        if self.destroyed.replace(true) {
            return;
        }
        // SAFETY: nobody uses the loop again. It closes only when no handle is left, which is checked.
        unsafe {
            sys::uv_walk(self.raw, on_walk, ptr::null_mut());
            // A `uv_stop` from outside of the loop makes the next run end early.
            while sys::uv_run(self.raw, sys::RUN_DEFAULT) != 0 {}
            check(sys::uv_loop_close(self.raw)).expect("every handle was closed");
            alloc::dealloc(self.raw.cast(), layout(sys::uv_loop_size()));
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.destroy();
    }
}

impl Handle {
    /// The way to it for other threads. It must not be used when the handle is closed: who takes it sees
    /// to that.
    pub fn sender(&self) -> Sender {
        assert_eq!(self.kind, Kind::Async, "only an async handle can be sent to");
        Sender(self.raw.get())
    }

    /// Ends the watch of a poll handle, which has to be closed then.
    pub fn stop_poll(&self) {
        assert_eq!(self.kind, Kind::Poll, "only a poll handle watches");
        if !self.raw.get().is_null() {
            // SAFETY: the handle is open, and of this kind.
            unsafe { sys::uv_poll_stop(self.raw.get()) };
        }
    }

    /// Has it closed; the loop frees it when it runs next.
    pub fn close(&self) {
        let raw = self.raw.get();
        // SAFETY: the pointer is taken away when libuv has closed the handle.
        unsafe {
            if !raw.is_null() && sys::uv_is_closing(raw) == 0 {
                sys::uv_close(raw, on_close);
            }
        }
    }
}

/// The handle that libuv calls with.
///
/// # Safety
///
/// It is one of `Loop::add`, and not closed.
unsafe fn handle_of(raw: *mut sys::Handle) -> Rc<Handle> {
    // SAFETY: the data is libuv's reference, of which another is made.
    unsafe {
        let handle: *const Handle = sys::uv_handle_get_data(raw).cast_const().cast();
        Rc::increment_strong_count(handle);
        Rc::from_raw(handle)
    }
}

extern "C" fn on_call(raw: *mut sys::Handle) {
    // SAFETY: libuv calls with an open handle, which `add` has made.
    let handle = unsafe { handle_of(raw) };
    (handle.callback)(&handle);
}

extern "C" fn on_poll(raw: *mut sys::Handle, _status: c_int, _events: c_int) {
    on_call(raw);
}

extern "C" fn on_walk(raw: *mut sys::Handle, _argument: *mut c_void) {
    // SAFETY: as in `on_call`.
    unsafe { handle_of(raw) }.close();
}

extern "C" fn on_close(raw: *mut sys::Handle) {
    // SAFETY: libuv is done with the handle: its reference and its memory come back.
    unsafe {
        let handle: Rc<Handle> = Rc::from_raw(sys::uv_handle_get_data(raw).cast_const().cast());
        handle.raw.set(ptr::null_mut());
        alloc::dealloc(raw.cast(), layout(sys::uv_handle_size(handle.kind)));
    }
}
