//! Tcl: the loop of Tk, which nests in `vwait` and `tkwait`.
#![allow(unsafe_code)]

mod adapter;
mod sys;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_uint, c_void};
use std::io;
use std::process::ExitCode;
use std::ptr;
use std::rc::Rc;
use std::time::Duration;

use interloop::testing::{Host, Kit};
use interloop::{Phase, Reactor};
// Links what build.rs has found.
use interloop_hosts_others as _;

fn main() -> ExitCode {
    Kit::new().host::<Tcl<false>>().host::<Tcl<true>>().run()
}

#[derive(Default)]
struct Tcl<const EMBEDDED: bool> {
    quit: Cell<bool>,
    timers: RefCell<Vec<Rc<Timer>>>,
}

/// A timer that is set again each time. Tcl has a pointer to it, and the host keeps it.
struct Timer {
    millis: c_int,
    callback: RefCell<Box<dyn FnMut()>>,
}

impl Timer {
    fn set(&self) {
        let data = ptr::from_ref(self).cast_mut().cast();
        // SAFETY: the timer lives as long as the host, and the loop runs only in it.
        unsafe { sys::Tcl_CreateTimerHandler(self.millis, on_timer, data) };
    }
}

extern "C" fn on_timer(timer: *mut c_void) {
    // SAFETY: as in `set`.
    let timer = unsafe { &*timer.cast::<Timer>() };
    timer.set();
    // Where its own callback runs, in an outer loop, the timer waits for it.
    if let Ok(mut callback) = timer.callback.try_borrow_mut() {
        callback();
    }
}

/// A closure, as an event.
#[repr(C)]
struct Posted {
    event: sys::Event,
    callback: *mut Box<dyn FnOnce()>,
}

extern "C" fn on_posted(event: *mut sys::Event, _flags: c_int) -> c_int {
    // SAFETY: only events of `post` have this handler, and each is handled once.
    let callback = unsafe { Box::from_raw((*event.cast::<Posted>()).callback) };
    callback();
    1
}

impl<const EMBEDDED: bool> Host for Tcl<EMBEDDED> {
    const NAME: &'static str = if EMBEDDED { "tcl::embedded" } else { "tcl::worker" };

    /// `Tcl_Finalize` leaves one end of a pipe open when the thread at the other end is faster than it.
    const LEAVES: &'static [(&'static str, usize)] = &[("pipe", 1)];

    fn open() -> io::Result<Rc<Self>> {
        // SAFETY: it initialises the library, on this thread.
        unsafe { sys::Tcl_FindExecutable(ptr::null()) };
        Ok(Rc::new(Tcl::default()))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let attached =
            if EMBEDDED { adapter::embed(reactor) } else { adapter::interleave(reactor) };
        let attached = attached?;
        let host = Rc::downgrade(self);
        let quit = async move {
            if let Some(host) = host.upgrade() {
                host.quit();
            }
        };
        reactor.on_shutdown(Phase::After, quit)?.detach();
        Ok(Box::new(attached))
    }

    fn run(&self) {
        while !self.quit.get() {
            // SAFETY: the library is initialised, and this is its thread.
            unsafe { sys::Tcl_DoOneEvent(sys::ALL_EVENTS) };
        }
    }

    fn quit(&self) {
        self.quit.set(true);
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        while !done() {
            // SAFETY: as in `run`; an event that is being handled is not handled again.
            unsafe { sys::Tcl_DoOneEvent(sys::ALL_EVENTS) };
        }
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        let millis = c_int::try_from(period.as_millis()).unwrap_or(c_int::MAX);
        let timer = Rc::new(Timer { millis, callback: RefCell::new(callback) });
        timer.set();
        self.timers.borrow_mut().push(timer);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        let callback = Box::into_raw(Box::new(callback));
        // SAFETY: an event is allocated by Tcl, begins with a `Tcl_Event`, and is Tcl's once it is queued.
        unsafe {
            let event: *mut Posted = sys::Tcl_Alloc(size_of::<Posted>() as c_uint).cast();
            let header = sys::Event { handle: on_posted, next: ptr::null_mut() };
            event.write(Posted { event: header, callback });
            sys::Tcl_QueueEvent(event.cast(), sys::QUEUE_TAIL);
        }
    }

    fn destroy(&self) {
        // SAFETY: nobody calls Tcl after that: the adapter hears of it.
        unsafe { sys::Tcl_Finalize() };
    }
}
