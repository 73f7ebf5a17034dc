//! The adapter for Tcl.
#![allow(unsafe_code)]

use std::cell::RefCell;
use std::ffi::{c_int, c_uint, c_void};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::rc::Rc;
use std::time::Duration;

use interloop::{Embedded, FinishGuard, Reactor, Tick};

use crate::sys;

/// What joins a reactor to Tcl's loop on this thread.
pub struct Attached {
    finish: Option<FinishGuard>,
    link: Rc<Link>,
}

/// How the joining ends: by the guard, or by Tcl when it is finalized, whichever comes first.
struct Link {
    end: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Link {
    /// Tcl holds the link until the guard lets go of it.
    fn new(end: impl FnOnce() + 'static) -> Rc<Link> {
        let link = Rc::new(Link { end: RefCell::new(Some(Box::new(end))) });
        // SAFETY: the handler is deleted before the link goes, or it is called once.
        unsafe { sys::Tcl_CreateExitHandler(on_exit, Rc::as_ptr(&link).cast_mut().cast()) };
        link
    }

    fn end(&self) {
        let end = self.end.take();
        if let Some(end) = end {
            // SAFETY: it was created with this link, and Tcl has not been finalized, which ends the link.
            unsafe { sys::Tcl_DeleteExitHandler(on_exit, ptr_of(self)) };
            end();
        }
    }
}

fn ptr_of(link: &Link) -> *mut c_void {
    std::ptr::from_ref(link).cast_mut().cast()
}

extern "C" fn on_exit(link: *mut c_void) {
    // SAFETY: the link deletes this handler before it goes.
    let link = unsafe { &*link.cast::<Link>() };
    let end = link.end.take();
    if let Some(end) = end {
        end();
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        self.finish.take();
        self.link.end();
    }
}

/// Joins by ticks, which other threads queue as events of this one.
pub fn interleave(reactor: &Reactor) -> io::Result<Attached> {
    let proxy = reactor.interleave(waker())?;
    let link = Link::new(move || {
        // On return the waker does not run, and will not again. A reactor that has stopped has none.
        let _stopped = proxy.swap(drop);
    });
    Ok(Attached { finish: Some(reactor.finish_on_drop(LIMIT)), link })
}

/// Joins by the reactor's descriptor.
pub fn embed(reactor: &Reactor) -> io::Result<Attached> {
    let embedded = Rc::new(reactor.embed()?);
    let data = Rc::as_ptr(&embedded).cast_mut().cast();
    let number = embedded.as_fd().as_raw_fd();
    // SAFETY: the handler is deleted before the descriptor and what it is called with go.
    unsafe { sys::Tcl_CreateFileHandler(number, sys::READABLE, on_readable, data) };
    let link = Link::new(move || {
        // SAFETY: the descriptor is open yet.
        unsafe { sys::Tcl_DeleteFileHandler(number) };
        drop(embedded);
    });
    Ok(Attached { finish: Some(reactor.finish_on_drop(LIMIT)), link })
}

/// How long the reactor may take to finish.
const LIMIT: Duration = Duration::from_secs(10);

extern "C" fn on_readable(embedded: *mut c_void, _mask: c_int) {
    // SAFETY: the link keeps it until it has deleted this handler. A turn may end the link, so that
    // another reference is held meanwhile.
    let embedded: Rc<Embedded> = unsafe {
        Rc::increment_strong_count(embedded.cast::<Embedded>());
        Rc::from_raw(embedded.cast())
    };
    if !embedded.turn() {
        // SAFETY: the descriptor is open.
        unsafe { sys::Tcl_DeleteFileHandler(embedded.as_fd().as_raw_fd()) };
    }
}

/// A tick, as an event.
#[repr(C)]
struct TickEvent {
    event: sys::Event,
    tick: usize,
}

/// This thread, for others to post to.
struct Thread(sys::ThreadId);

// SAFETY: any thread may queue events for another by its id, and alert it; Tcl drops those of a thread
// that is gone.
unsafe impl Send for Thread {}
// SAFETY: as above.
unsafe impl Sync for Thread {}

impl Thread {
    fn current() -> Thread {
        // SAFETY: it can be called at any time.
        Thread(unsafe { sys::Tcl_GetCurrentThread() })
    }

    fn post(&self, tick: Tick) {
        // SAFETY: an event is allocated by Tcl, begins with a `Tcl_Event`, and is Tcl's once it is queued.
        unsafe {
            let event: *mut TickEvent = sys::Tcl_Alloc(size_of::<TickEvent>() as c_uint).cast();
            let header = sys::Event { handle: on_tick, next: std::ptr::null_mut() };
            event.write(TickEvent { event: header, tick: tick.into_raw() });
            sys::Tcl_ThreadQueueEvent(self.0, event.cast(), sys::QUEUE_TAIL);
            sys::Tcl_ThreadAlert(self.0);
        }
    }
}

/// The raw hook: posts ticks to this thread.
fn waker() -> impl Fn(Tick) + Send + Sync + 'static {
    let thread = Thread::current();
    move |tick| thread.post(tick)
}

/// Tcl handles events as long as there are any, and timers then: under load, each turn would bring the
/// event of the next, and the timers would not come. So the turn runs as a timer.
extern "C" fn on_tick(event: *mut sys::Event, _flags: c_int) -> c_int {
    // SAFETY: only events of `post` have this handler; a timer may be set in it.
    unsafe {
        let tick = (*event.cast::<TickEvent>()).tick;
        sys::Tcl_CreateTimerHandler(0, on_turn, std::ptr::without_provenance_mut(tick));
    }
    1
}

extern "C" fn on_turn(tick: *mut c_void) {
    // A tick that comes when its reactor is gone is none.
    if let Some(tick) = Tick::from_raw(tick.addr()) {
        tick.run();
    }
}
