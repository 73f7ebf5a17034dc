//! The face that the kit asks for.

use std::any::Any;
use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Host;
use interloop_cocoa::{Attach, Drive};

use super::raw::{self, Target};

pub const DEFAULT: &str = "NSDefaultRunLoopMode";
/// What a loop that tracks the mouse runs in.
pub const TRACKING: &str = "NSEventTrackingRunLoopMode";
/// After how long the program looks whether it is to go on. A timer does not end a run of the loop.
const LOOK: Duration = Duration::from_millis(10);

pub struct Gnustep<const EMBEDDED: bool> {
    target: Target,
    quit: Cell<bool>,
}

impl<const EMBEDDED: bool> Host for Gnustep<EMBEDDED> {
    const NAME: &'static str = if EMBEDDED { "gnustep::embedded" } else { "gnustep::worker" };

    /// The base library has loops, but none that belongs to an application.
    const STOP_QUITS: bool = false;

    fn open() -> io::Result<Rc<Self>> {
        Ok(Rc::new(Gnustep { target: Target::new(), quit: Cell::new(false) }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let drive = if EMBEDDED { Drive::Embedded } else { Drive::Worker };
        Ok(Box::new(Attach::new().drive(drive).to(reactor)?))
    }

    fn run(&self) {
        while !self.quit.get() {
            raw::run_in(DEFAULT, LOOK);
        }
    }

    fn quit(&self) {
        self.quit.set(true);
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        while !done() {
            raw::run_in(TRACKING, LOOK);
        }
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        self.target.every(period, &[DEFAULT, TRACKING], callback);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        let mut callback = Some(callback);
        let callback = move || callback.take().expect("it is called once")();
        self.target.post(&[DEFAULT, TRACKING], Box::new(callback));
    }

    /// There is always a run loop.
    fn destroy(&self) {
        raw::forget_callbacks();
    }
}
