//! The five claims in a GTK 4 application with a real window.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use gtk4::gio::ApplicationFlags;
use gtk4::glib::{self, ControlFlow, Priority, SourceId};
use gtk4::prelude::*;
use gtk4::{Application, ApplicationWindow, Dialog, DrawingArea, Label, ResponseType, Window};
use interloop::Reactor;
use interloop::testing::{Host, Kit};
use interloop_glib::{Attach, Drive};

fn main() -> ExitCode {
    let kit = Kit::new().host::<Gtk<false>>().host::<Gtk<true>>();
    let kit = with_window_cases::<false>(kit);
    with_window_cases::<true>(kit).run()
}

/// What has to do with windows, and the claims do not try.
fn with_window_cases<const EMBEDDED: bool>(kit: Kit) -> Kit {
    kit.case::<Gtk<EMBEDDED>>("painting_goes_on_beside_a_flood", painting::<EMBEDDED>)
        .case::<Gtk<EMBEDDED>>("the_window_is_destroyed_in_a_callback", destroyed::<EMBEDDED>)
        .case::<Gtk<EMBEDDED>>("a_dialog_is_awaited_in_a_task", dialog::<EMBEDDED>)
}

/// A reactor that is always busy does not keep GTK from its frames.
fn painting<const EMBEDDED: bool>() -> io::Result<()> {
    let gtk = Gtk::<EMBEDDED>::open()?;
    let reactor = Reactor::new()?;
    let _attached = gtk.how().to(&reactor)?;
    let busy = poll_fn(|context| -> Poll<()> {
        context.waker().wake_by_ref();
        Poll::Pending
    });
    let _busy = reactor.spawn_local(busy);
    let painted = Rc::new(Cell::new(0));
    let counting = Rc::clone(&painted);
    gtk.application().connect_activate(move |application| {
        let area = DrawingArea::new();
        let (painted, quitting) = (Rc::clone(&counting), application.clone());
        area.set_draw_func(move |_, context, _, _| {
            context.paint().expect("cairo can paint");
            painted.set(painted.get() + 1);
            if painted.get() == 30 {
                quitting.quit();
            }
        });
        area.add_tick_callback(|area, _| {
            area.queue_draw();
            ControlFlow::Continue
        });
        application.active_window().expect("it was opened").set_child(Some(&area));
    });
    gtk.run();
    assert_eq!(painted.get(), 30);
    Ok(())
}

/// A callback of the reactor destroys the window, which ends the application.
fn destroyed<const EMBEDDED: bool>() -> io::Result<()> {
    let gtk = Gtk::<EMBEDDED>::open()?;
    let reactor = Reactor::new()?;
    let _attached = gtk.how().to(&reactor)?;
    let (closing, handle) = (Rc::downgrade(&gtk), reactor.handle());
    gtk.post(Box::new(move || {
        let destroy = move || closing.upgrade().expect("it runs").window().destroy();
        handle.after(Duration::from_millis(1), destroy).detach();
    }));
    gtk.run();
    assert!(reactor.is_stopped());
    Ok(())
}

/// A task of the reactor opens a dialog, and waits for what the user answers.
fn dialog<const EMBEDDED: bool>() -> io::Result<()> {
    let gtk = Gtk::<EMBEDDED>::open()?;
    let reactor = Reactor::new()?;
    let _attached = gtk.how().to(&reactor)?;
    let (asking, handle) = (Rc::downgrade(&gtk), reactor.handle());
    gtk.post(Box::new(move || {
        let task = handle.clone();
        let ask = async move {
            let window = asking.upgrade().expect("it runs").window();
            let dialog = Dialog::builder().modal(true).transient_for(&window).build();
            dialog.add_button("Yes", ResponseType::Yes);
            let answering = dialog.clone();
            let answer = move || answering.response(ResponseType::Yes);
            task.after(Duration::from_millis(1), answer).detach();
            assert_eq!(dialog.run_future().await, ResponseType::Yes);
            dialog.destroy();
            task.stop();
        };
        handle.spawn_local(ask).detach();
    }));
    gtk.run();
    assert!(reactor.is_stopped());
    Ok(())
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

    /// How the reactor is joined.
    fn how(&self) -> Attach {
        if EMBEDDED { Attach::new() } else { Attach::new().drive(Drive::Worker) }
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
        let attached = self.how().to(reactor)?;
        match attached.drive() {
            Drive::Worker if EMBEDDED => Err(io::ErrorKind::Unsupported.into()),
            _ => Ok(Box::new(attached)),
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
