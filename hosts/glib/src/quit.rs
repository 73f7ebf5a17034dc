//! What the end of the reactor ends.

use gio::prelude::*;
use glib::{ControlFlow, MainLoop, Priority, WeakRef};

/// What runs a context, and can be quit.
#[derive(Clone)]
pub(crate) enum Quit {
    Application(WeakRef<gio::Application>),
    MainLoop(MainLoop),
}

impl Quit {
    /// Has it quit from inside of its own loop: one that does not run yet would not notice, or, as an
    /// application, would refuse to run.
    pub(crate) fn post(&self, priority: Priority) {
        match self {
            Quit::Application(application) => {
                let application = application.clone();
                let quit = move || {
                    if let Some(application) = application.upgrade() {
                        application.quit();
                    }
                    ControlFlow::Break
                };
                glib::idle_add_local_full(priority, quit);
            }
            Quit::MainLoop(main_loop) => {
                let quitting = main_loop.clone();
                let quit = move || {
                    quitting.quit();
                    ControlFlow::Break
                };
                let source = glib::idle_source_new(Some("interloop: quit"), priority, quit);
                source.attach(Some(&main_loop.context()));
            }
        }
    }
}
