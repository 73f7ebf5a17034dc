//! Qt, as the kit drives it.

use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Host;
use interloop_qt::{Attached, Drive};
use interloop_qt_widgets::{self as widgets, Application, Window};

/// Qt, told apart by what it is made of.
pub struct Qt<const WIDGETS: bool, const EMBEDDED: bool, const GLIB: bool> {
    /// Until it is destroyed. The window goes before the application.
    toolkit: RefCell<Option<(Option<Window>, Application)>>,
}

const fn name(widgets: bool, embedded: bool, glib: bool) -> &'static str {
    match (widgets, embedded, glib) {
        (false, true, true) => "core::embedded::glib",
        (false, true, false) => "core::embedded::unix",
        (false, false, true) => "core::worker::glib",
        (false, false, false) => "core::worker::unix",
        (true, true, true) => "widgets::embedded::glib",
        (true, true, false) => "widgets::embedded::unix",
        (true, false, true) => "widgets::worker::glib",
        (true, false, false) => "widgets::worker::unix",
    }
}

/// The backend decides on the drive: `poll` has no descriptor.
const fn environment(embedded: bool, glib: bool) -> &'static [(&'static str, &'static str)] {
    match (embedded, glib) {
        (true, true) => &[],
        (true, false) => &[("QT_NO_GLIB", "1")],
        (false, true) => &[("INTERLOOP_BACKEND", "poll")],
        (false, false) => &[("INTERLOOP_BACKEND", "poll"), ("QT_NO_GLIB", "1")],
    }
}

impl<const WIDGETS: bool, const EMBEDDED: bool, const GLIB: bool> Qt<WIDGETS, EMBEDDED, GLIB> {
    /// Joins a reactor, which has to come out on the drive that this host is for.
    pub fn attach(reactor: &Reactor) -> io::Result<Attached> {
        let attached = interloop_qt::attach(reactor)?;
        let drive = if EMBEDDED { Drive::Embedded } else { Drive::Worker };
        assert_eq!(attached.drive(), drive, "over the {} backend", reactor.backend());
        Ok(attached)
    }

    fn window<T>(&self, f: impl FnOnce(Option<&Window>) -> T) -> T {
        let toolkit = self.toolkit.borrow();
        f(toolkit.as_ref().and_then(|(window, _)| window.as_ref()))
    }
}

impl<const WIDGETS: bool, const EMBEDDED: bool, const GLIB: bool> Host
    for Qt<WIDGETS, EMBEDDED, GLIB>
{
    const NAME: &'static str = name(WIDGETS, EMBEDDED, GLIB);
    const ENVIRONMENT: &'static [(&'static str, &'static str)] = environment(EMBEDDED, GLIB);

    fn open() -> io::Result<Rc<Self>> {
        if WIDGETS && !widgets::has_display() {
            let message = "there is no display: run it with `xvfb-run -a`, or with \
                           QT_QPA_PLATFORM=offscreen";
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let application = if WIDGETS { Application::widgets() } else { Application::core() };
        if cfg!(target_os = "linux") {
            let is_glib = widgets::dispatcher().to_lowercase().contains("glib");
            assert_eq!(is_glib, GLIB, "the dispatcher is {}", widgets::dispatcher());
        }
        let window = WIDGETS.then(|| Window::new(&application));
        Ok(Rc::new(Qt { toolkit: RefCell::new(Some((window, application))) }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        Ok(Box::new(Self::attach(reactor)?))
    }

    fn run(&self) {
        widgets::exec();
    }

    fn quit(&self) {
        widgets::quit();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let again = move || !done();
        self.window(|window| match window {
            Some(window) if EMBEDDED => window.dialog(again),
            Some(window) => window.message_box(again),
            None => widgets::nested_loop(again),
        });
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        widgets::every(period, callback);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        widgets::post(callback);
    }

    fn close(&self) {
        self.window(|window| window.map_or_else(widgets::quit, Window::close));
    }

    fn destroy(&self) {
        self.toolkit.take();
    }
}
