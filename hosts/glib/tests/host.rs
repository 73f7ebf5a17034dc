//! The five claims, in a loop of GLib's, without a display.

use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use glib::{ControlFlow, MainLoop, Priority, SourceId};
use interloop::Reactor;
use interloop::testing::{Host, Kit};
use interloop_glib::{Attach, Drive};

fn main() -> ExitCode {
    Kit::new().host::<GLib<false>>().host::<GLib<true>>().run()
}

/// The global main context, with the worker or embedded.
struct GLib<const EMBEDDED: bool> {
    main_loop: RefCell<Option<MainLoop>>,
    /// The timers that are there as long as the loop runs.
    timers: RefCell<Vec<SourceId>>,
}

impl<const EMBEDDED: bool> GLib<EMBEDDED> {
    fn main_loop(&self) -> MainLoop {
        self.main_loop.borrow().clone().expect("it was not destroyed")
    }
}

impl<const EMBEDDED: bool> Host for GLib<EMBEDDED> {
    const NAME: &'static str = if EMBEDDED { "glib::embedded" } else { "glib::worker" };

    fn open() -> io::Result<Rc<Self>> {
        let main_loop = RefCell::new(Some(MainLoop::new(None, false)));
        Ok(Rc::new(GLib { main_loop, timers: RefCell::default() }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let drive = if EMBEDDED { Drive::Embedded } else { Drive::Worker };
        let attach = Attach::new().main_loop(&self.main_loop()).drive(drive);
        Ok(Box::new(attach.to(reactor)?))
    }

    fn run(&self) {
        self.main_loop().run();
        self.timers.take().into_iter().for_each(SourceId::remove);
    }

    fn quit(&self) {
        self.main_loop().quit();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let nested = MainLoop::new(None, false);
        let quitting = nested.clone();
        glib::timeout_add_local(Duration::from_millis(2), move || {
            if !done() {
                return ControlFlow::Continue;
            }
            quitting.quit();
            ControlFlow::Break
        });
        nested.run();
        Ok(())
    }

    fn every(&self, period: Duration, mut callback: Box<dyn FnMut()>) {
        let timer = glib::timeout_add_local(period, move || {
            callback();
            ControlFlow::Continue
        });
        self.timers.borrow_mut().push(timer);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        // Before the loop, this thread does not own the context, and `invoke` would call it at once.
        let mut callback = Some(callback);
        glib::idle_add_local_full(Priority::HIGH, move || {
            callback.take().expect("it is called once")();
            ControlFlow::Break
        });
    }

    fn destroy(&self) {
        // The global context itself is never freed.
        drop(self.main_loop.take());
    }
}
