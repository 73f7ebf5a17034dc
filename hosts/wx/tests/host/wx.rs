//! wxWidgets, as the kit drives it.

use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Host;
use interloop_wx_widgets::{self as widgets, Application, Frame};

/// wxWidgets, with a window or without.
pub struct Wx<const WINDOWS: bool> {
    /// Until it is destroyed.
    application: RefCell<Option<Application>>,
    frame: Option<Frame>,
}

impl<const WINDOWS: bool> Wx<WINDOWS> {
    /// Makes the application.
    pub fn application() -> io::Result<Application> {
        let application = if WINDOWS { Application::windows() } else { Application::console() };
        application.ok_or_else(|| {
            let message = "wxWidgets does not start: is there a display? `xvfb-run -a` makes one";
            io::Error::new(io::ErrorKind::Unsupported, message)
        })
    }
}

impl<const WINDOWS: bool> Host for Wx<WINDOWS> {
    const NAME: &'static str = if WINDOWS { "windows" } else { "console" };

    fn open() -> io::Result<Rc<Self>> {
        let application = Self::application()?;
        let frame = WINDOWS.then(|| Frame::new(&application));
        Ok(Rc::new(Wx { application: RefCell::new(Some(application)), frame }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        Ok(Box::new(interloop_wx::attach(reactor)?))
    }

    fn run(&self) {
        widgets::run();
    }

    fn quit(&self) {
        widgets::exit_main_loop();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let again = move || !done();
        match &self.frame {
            Some(frame) => frame.dialog(again),
            None => widgets::nested_loop(again),
        }
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        widgets::every(period, callback);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        widgets::call_after(callback);
    }

    fn close(&self) {
        self.frame.as_ref().map_or_else(widgets::exit_main_loop, Frame::close);
    }

    fn destroy(&self) {
        self.application.take();
    }
}
