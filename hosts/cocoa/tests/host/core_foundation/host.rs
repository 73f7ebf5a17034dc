//! The face that the kit asks for.
#![allow(unsafe_code)]

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::ffi::c_void;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Host;
use interloop_cocoa::{Attach, Drive};

use super::raw::{self, Signal, Timer};

pub const DEFAULT: &str = "kCFRunLoopDefaultMode";
/// What AppKit calls the mode of a loop that tracks the mouse.
const TRACKING: &str = "NSEventTrackingRunLoopMode";

#[derive(Default)]
struct Jobs(RefCell<VecDeque<Box<dyn FnOnce()>>>);

pub struct CoreFoundation<const EMBEDDED: bool> {
    jobs: Rc<Jobs>,
    signal: RefCell<Option<Signal>>,
    timers: RefCell<Vec<Timer>>,
    quit: Cell<bool>,
}

extern "C" fn run_job(info: *const c_void) {
    // SAFETY: it is that of `open`, which outlives the signal.
    let jobs = unsafe { &*info.cast::<Jobs>() };
    let next = jobs.0.borrow_mut().pop_front();
    if let Some(job) = next {
        job();
    }
}

impl<const EMBEDDED: bool> Host for CoreFoundation<EMBEDDED> {
    const NAME: &'static str =
        if EMBEDDED { "core_foundation::embedded" } else { "core_foundation::worker" };

    fn open() -> io::Result<Rc<Self>> {
        // As AppKit does.
        raw::add_common_mode(TRACKING);
        let jobs = Rc::<Jobs>::default();
        let signal = Signal::new(Rc::as_ptr(&jobs).cast(), run_job);
        let signal = RefCell::new(Some(signal));
        Ok(Rc::new(CoreFoundation {
            jobs,
            signal,
            timers: RefCell::default(),
            quit: Cell::new(false),
        }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let drive = if EMBEDDED { Drive::Embedded } else { Drive::Worker };
        Ok(Box::new(Attach::new().drive(drive).to(reactor)?))
    }

    fn run(&self) {
        if !self.quit.get() {
            raw::run();
        }
    }

    fn quit(&self) {
        self.quit.set(true);
        raw::stop();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        while !done() {
            raw::run_in(TRACKING, Duration::from_millis(10));
        }
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        let timer = Timer::every(period, callback);
        self.timers.borrow_mut().push(timer);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        self.jobs.0.borrow_mut().push_back(callback);
        if let Some(signal) = &*self.signal.borrow() {
            signal.signal();
        }
    }

    fn destroy(&self) {
        self.signal.take();
        self.timers.take();
    }
}
