//! The C++ shim, `shim.cpp`, in Rust's terms.
//!
//! A callback that panics here aborts the process: nothing may unwind through wxWidgets.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr::NonNull;
use std::sync::Arc;

use interloop::Tick;

use crate::mailbox::{Arrived, Mailbox};

#[repr(C)]
struct Calls {
    arrived: extern "C" fn(*mut c_void) -> Arrived,
    run: extern "C" fn(*mut c_void),
    ended: extern "C" fn(*mut c_void),
}

unsafe extern "C" {
    safe fn interloop_wx_is_here() -> bool;
    safe fn interloop_wx_exit() -> *mut RawEnding;
    fn interloop_wx_forget(ending: *mut RawEnding);
    fn interloop_wx_relay(descriptor: c_int, calls: Calls, data: *mut c_void) -> bool;
}

#[repr(C)]
struct RawEnding {
    _opaque: [u8; 0],
}

/// The end of a main loop that does not run yet: when this is dropped before, it goes on. It belongs to the main
/// thread.
pub(crate) struct Ending(NonNull<RawEnding>);

/// Ends the main loop. Where it does not run yet, it ends when it does. On the main thread.
pub(crate) fn exit_main_loop() -> Option<Ending> {
    NonNull::new(interloop_wx_exit()).map(Ending)
}

impl Drop for Ending {
    fn drop(&mut self) {
        // SAFETY: it is what `exit_main_loop` has made, on this thread, and this is its only end. It may outlive the
        // application.
        unsafe { interloop_wx_forget(self.0.as_ptr()) }
    }
}

/// A waker that posts to the application's event loop, which need not run yet. Call it on the main thread,
/// when there is an application: in its `OnInit` or later.
///
/// A tick comes through a descriptor that the loop watches, and runs in an event that is queued on the main
/// thread, so that it is delivered in the loops of modal dialogs too. When the application is destroyed,
/// posts fail, and nothing of wxWidgets is touched any more. When the waker is dropped, what it has in the
/// loop goes, in the loop or with the application.
///
/// # Errors
///
/// `NotConnected` where there is no application, or this is not its main thread; what the operating system
/// said when it refused a descriptor.
///
/// ```no_run
/// # let reactor = interloop::Reactor::new()?;
/// reactor.interleave(interloop_wx::waker()?)?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn waker() -> io::Result<impl Fn(Tick) + Send + Sync + 'static> {
    if !interloop_wx_is_here() {
        let message =
            "there is no wxApp yet, or this is not its main thread: attach in OnInit or later";
        return Err(io::Error::new(io::ErrorKind::NotConnected, message));
    }
    let mailbox = Arc::new(Mailbox::new()?);
    let calls = Calls { arrived, run, ended };
    let data = Arc::into_raw(Arc::clone(&mailbox)).cast_mut().cast();
    // SAFETY: `data` is a mailbox in an `Arc`, as the three functions take it; the last of them gives the
    // count back. The descriptor is the mailbox's, and so is open until then.
    if !unsafe { interloop_wx_relay(mailbox.descriptor(), calls, data) } {
        return Err(io::Error::other("wxWidgets does not watch a descriptor"));
    }
    let waker = Waker { mailbox };
    Ok(move |tick| waker.post(tick))
}

/// The end that is outside of the loop.
struct Waker {
    mailbox: Arc<Mailbox>,
}

impl Waker {
    fn post(&self, tick: Tick) {
        self.mailbox.post(tick);
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        self.mailbox.end();
    }
}

extern "C" fn arrived(data: *mut c_void) -> Arrived {
    // SAFETY: as in `run`.
    unsafe { &*data.cast::<Mailbox>() }.arrived()
}

extern "C" fn run(data: *mut c_void) {
    // SAFETY: it is what `waker` has given, before the call of `ended`.
    let mailbox = unsafe { &*data.cast::<Mailbox>() };
    if let Some(tick) = mailbox.take() {
        tick.run();
    }
}

extern "C" fn ended(data: *mut c_void) {
    // SAFETY: it is what `waker` has given, and the shim calls this once, as the last.
    let mailbox = unsafe { Arc::from_raw(data.cast::<Mailbox>()) };
    mailbox.close();
}
