//! The window, and what happens in it.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::Duration;

use gtk4::gio::SimpleAction;
use gtk4::glib::Propagation;
use gtk4::prelude::*;
use gtk4::{Application, ResponseType};
use interloop::Handle;
use interloop_demos::web::{Client, Error, Event, Head};

use crate::load::Load;
use crate::widgets::Widgets;

/// How often the progress is shown.
const PERIOD: Duration = Duration::from_millis(100);

/// A window that shows a page.
pub struct Window {
    widgets: Widgets,
    handle: Handle,
    client: Client,
    /// The page that is being loaded.
    load: RefCell<Option<Load>>,
    cancel: SimpleAction,
}

/// Which keys do what, in all windows.
pub fn set_keys(application: &Application) {
    application.set_accels_for_action("win.cancel", &["Escape"]);
    application.set_accels_for_action("win.address", &["<Control>l"]);
    application.set_accels_for_action("win.load", &["<Control>r", "F5"]);
    application.set_accels_for_action("window.close", &["<Control>w"]);
}

impl Window {
    pub fn open(application: &Application, handle: &Handle, client: &Client) -> Rc<Window> {
        let window = Rc::new(Window {
            widgets: Widgets::new(application),
            handle: handle.clone(),
            client: client.clone(),
            load: RefCell::default(),
            cancel: SimpleAction::new("cancel", None),
        });
        window.connect();
        window.widgets.address.grab_focus();
        window.widgets.window.present();
        window
    }

    /// Puts the address into the bar, and loads what is there.
    pub fn go_to(self: &Rc<Self>, address: &str) {
        self.widgets.address.set_text(address);
        self.begin();
    }

    fn connect(self: &Rc<Self>) {
        let widgets = &self.widgets;
        let load = SimpleAction::new("load", None);
        let begin = self.callback(Window::begin);
        load.connect_activate(move |_, _| begin());
        let cancel = self.callback(|window| window.cancel());
        self.cancel.connect_activate(move |_, _| cancel());
        self.cancel.set_enabled(false);
        let address = SimpleAction::new("address", None);
        let focus = self.callback(|window| {
            window.widgets.address.grab_focus();
        });
        address.connect_activate(move |_, _| focus());
        for action in [&load, &self.cancel, &address] {
            widgets.window.add_action(action);
        }
        let begin = self.callback(Window::begin);
        widgets.address.connect_activate(move |_| begin());
        widgets.error_bar.connect_response(|bar, response| {
            bar.set_revealed(response != ResponseType::Close);
        });
        // The toolkit's window keeps this one, until it is closed.
        let window = Rc::clone(self);
        widgets.window.connect_close_request(move |_| {
            drop(window.load.take());
            Propagation::Proceed
        });
    }

    fn callback(self: &Rc<Self>, what: impl Fn(&Rc<Window>) + 'static) -> impl Fn() + 'static {
        let window = Rc::downgrade(self);
        move || {
            if let Some(window) = window.upgrade() {
                what(&window);
            }
        }
    }

    /// Loads what the bar names, in the place of whatever is being loaded.
    fn begin(self: &Rc<Self>) {
        let address = self.widgets.address.text();
        self.widgets.clear();
        let window = Rc::downgrade(self);
        let fetch = self.client.fetch(&address, move |event| {
            if let Some(window) = window.upgrade() {
                window.hear(event);
            }
        });
        let show = self.callback(|window| window.show_progress());
        let timer = self.handle.every(PERIOD, move || {
            show();
            ControlFlow::Continue(())
        });
        self.set_title("Loading", &address);
        let load = Load::new(address.into(), fetch, timer.label("progress"));
        let before = self.load.replace(Some(load));
        drop(before);
        self.set_loading(true);
        self.show_progress();
    }

    fn cancel(&self) {
        let Some(mut load) = self.load.take() else { return };
        load.end();
        self.end(&load, "Cancelled", &format!("Cancelled. {}", load.status()));
    }

    /// What a fetch tells, on this thread: nothing that can be done with a widget has to wait.
    fn hear(&self, event: Event) {
        match event {
            Event::Step(step) => {
                self.with_load(|load| load.step(step.to_string()));
                self.show_progress();
            }
            Event::Head(head) => {
                self.show_head(&head);
                self.with_load(|load| load.begin(&head));
                self.show_progress();
            }
            Event::Chunk(bytes) => {
                let text = self.with_load(|load| load.add(&bytes));
                if let Some(text) = text.filter(|text| !text.is_empty()) {
                    self.widgets.add_source(&text);
                }
            }
            Event::End(end) => self.hear_the_end(end.err()),
        }
    }

    fn hear_the_end(&self, error: Option<Error>) {
        let Some(mut load) = self.load.take() else { return };
        load.end();
        match error {
            None => self.end(&load, &load.answer, &load.status()),
            Some(error) => {
                self.widgets.error.set_text(&error.to_string());
                self.widgets.error_bar.set_revealed(true);
                self.end(&load, "Failed", "Failed");
            }
        }
    }

    fn with_load<T>(&self, what: impl FnOnce(&mut Load) -> T) -> Option<T> {
        self.load.borrow_mut().as_mut().map(what)
    }

    fn show_head(&self, head: &Head) {
        // Where that has led, unless the user has begun to write something else.
        let asked = self.with_load(|load| load.address.clone());
        if asked.is_some_and(|asked| self.widgets.address.text() == asked) {
            self.widgets.address.set_text(head.url.as_str());
        }
        let mut text = format!("{:?} {}\n\n", head.version, head.status);
        for (name, value) in &head.headers {
            text.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
        }
        self.widgets.headers.buffer().set_text(&text);
    }

    fn show_progress(&self) {
        let load = self.load.borrow();
        let Some(load) = load.as_ref() else { return };
        self.widgets.status.set_text(&load.status());
        match load.fraction() {
            Some(fraction) => self.widgets.progress.set_fraction(fraction),
            None => self.widgets.progress.pulse(),
        }
    }

    fn end(&self, load: &Load, title: &str, status: &str) {
        self.set_loading(false);
        self.set_title(title, &load.address);
        self.widgets.status.set_text(status);
    }

    fn set_loading(&self, is_loading: bool) {
        let (label, action) =
            if is_loading { ("Cancel", "win.cancel") } else { ("Load", "win.load") };
        self.cancel.set_enabled(is_loading);
        self.widgets.button.set_label(label);
        self.widgets.button.set_action_name(Some(action));
        self.widgets.progress.set_visible(is_loading);
        self.widgets.progress.set_fraction(0.0);
    }

    fn set_title(&self, what: &str, address: &str) {
        self.widgets.window.set_title(Some(&format!("{what} - {address} - Web Client")));
    }
}
