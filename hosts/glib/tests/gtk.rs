//! The five claims in a GTK 4 application with a real window.

use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use gtk4::gio::ApplicationFlags;
use gtk4::glib::{self, ControlFlow, Priority, SourceId};
use gtk4::prelude::*;
use gtk4::{Application, ApplicationWindow, Label, Window};
use interloop::Reactor;
use interloop::testing::{Host, Kit};
use interloop_glib::{Attach, Drive};

fn main() -> ExitCode {
    Kit::new().host::<Gtk<false>>().host::<Gtk<true>>().run()
}

/// An application with one window.
struct Gtk<const EMBEDDED: bool> {
    application: RefCell<Option<Application>>,
    /// The timers that are there as long as the loop runs.
    timers: RefCell<Vec<SourceId>>,
}

impl<const EMBEDDED: bool> Gtk<EMBEDDED> {
    fn application(&self) -> Application {
        self.application.borrow().clone().expect("it was not destroyed")
    }

    fn window(&self) -> Window {
        self.application().active_window().expect("the window is open")
    }
}

impl<const EMBEDDED: bool> Host for Gtk<EMBEDDED> {
    const NAME: &'static str = if EMBEDDED { "gtk::embedded" } else { "gtk::worker" };
    // What works on a machine without a graphics card.
    const ENVIRONMENT: &'static [(&'static str, &'static str)] =
        &[("GSK_RENDERER", "cairo"), ("GTK_A11Y", "none"), ("GSETTINGS_BACKEND", "memory")];

    fn open() -> io::Result<Rc<Self>> {
        if let Err(error) = gtk4::init() {
            let message = format!("{error} Is there a display? xvfb-run -a gives one.");
            return Err(io::Error::new(io::ErrorKind::Unsupported, message));
        }
        let application = Application::new(None::<&str>, ApplicationFlags::NON_UNIQUE);
        application.connect_activate(|application| {
            let label = Label::new(Some("interloop"));
            let window = ApplicationWindow::builder().application(application).child(&label);
            window.default_width(200).default_height(100).build().present();
        });
        let application = RefCell::new(Some(application));
        Ok(Rc::new(Gtk { application, timers: RefCell::default() }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        if !EMBEDDED {
            return Ok(Box::new(Attach::new().with_worker().to(reactor)?));
        }
        let attached = interloop_glib::attach(reactor)?;
        match attached.drive() {
            Drive::Embedded => Ok(Box::new(attached)),
            Drive::Worker => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn run(&self) {
        let code = self.application().run_with_args::<&str>(&[]);
        assert_eq!(code, glib::ExitCode::SUCCESS);
        self.timers.take().into_iter().for_each(SourceId::remove);
    }

    fn quit(&self) {
        self.application().quit();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let dialog = Window::builder().modal(true).transient_for(&self.window()).title("modal");
        let dialog = dialog.child(&Label::new(Some("a dialog"))).build();
        dialog.present();
        let main_loop = glib::MainLoop::new(None, false);
        let (closing, quitting) = (dialog.clone(), main_loop.clone());
        glib::timeout_add_local(Duration::from_millis(2), move || {
            if !done() {
                return ControlFlow::Continue;
            }
            closing.close();
            ControlFlow::Break
        });
        dialog.connect_close_request(move |_| {
            quitting.quit();
            glib::Propagation::Proceed
        });
        main_loop.run();
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
        let mut callback = Some(callback);
        glib::idle_add_local_full(Priority::HIGH, move || {
            callback.take().expect("it is called once")();
            ControlFlow::Break
        });
    }

    fn close(&self) {
        self.window().close();
    }

    fn destroy(&self) {
        drop(self.application.take());
    }
}
