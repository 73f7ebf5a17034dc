//! SDL: a user event for each call, with the closure and how it is run in the event's two words.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::io;
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use sdl2::event::{Event, EventSender};

use super::scene::{Caller, Scene};
use crate::compare::Figure;
use crate::systems::sdl::Sdl;

/// SDL's queue holds some 65,000 events. Who finds it full comes back after a moment, in which the host takes a small part of
/// them: it never runs dry meanwhile.
const MOMENT: Duration = Duration::from_micros(100);

/// Runs a closure that [`Push`] has boxed.
type Run = unsafe fn(*mut c_void);

#[derive(Clone)]
struct Push {
    sender: Arc<EventSender>,
    event_type: u32,
}

impl Caller for Push {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        self.push(Box::new(call));
    }
}

impl Push {
    fn push<F: FnOnce() + Send + 'static>(&self, call: Box<F>) {
        let run: Run = run::<F>;
        self.push_event(Box::into_raw(call).cast(), run as *mut c_void);
    }

    /// Has the host end its loop.
    fn quit(&self) {
        self.push_event(ptr::null_mut(), ptr::null_mut());
    }

    fn push_event(&self, data1: *mut c_void, data2: *mut c_void) {
        let type_ = self.event_type;
        let event = || Event::User { timestamp: 0, window_id: 0, type_, code: 0, data1, data2 };
        while self.sender.push_event(event()).is_err() {
            thread::sleep(MOMENT);
        }
    }
}

/// # Safety
///
/// `call` comes from a box of an `F`, and is given up.
unsafe fn run<F: FnOnce()>(call: *mut c_void) {
    // SAFETY: the caller says so.
    let call = unsafe { Box::from_raw(call.cast::<F>()) };
    call();
}

pub(super) fn host(scene: Scene) -> io::Result<Vec<Figure>> {
    let mut sdl = Sdl::open()?;
    // SAFETY: it takes a number from SDL's counter.
    let event_type = unsafe { sdl.events.register_event() }.map_err(io::Error::other)?;
    let push = Push { sender: Arc::new(sdl.events.event_sender()), event_type };
    let quits = push.clone();
    let calling = scene.start(push, move || quits.quit())?;
    loop {
        match sdl.pump.wait_event() {
            Event::User { type_, data1, data2, .. } if type_ == event_type => {
                if data1.is_null() {
                    return calling.figures();
                }
                // SAFETY: who has pushed an event of this type has put a `Run` there, unless it is the last.
                let run = unsafe { mem::transmute::<*mut c_void, Run>(data2) };
                // SAFETY: beside it is the closure that it runs, which is in no other event.
                unsafe { run(data1) };
            }
            _ => {}
        }
    }
}
