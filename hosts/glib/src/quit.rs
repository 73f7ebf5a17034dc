//! What the end of the reactor ends.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use gio::prelude::*;
use glib::thread_guard::ThreadGuard;
use glib::{ControlFlow, MainContext, MainLoop, Priority, Source, WeakRef};

/// What runs a context, and can be quit.
#[derive(Clone)]
pub(crate) enum Host {
    Application(WeakRef<gio::Application>),
    MainLoop(MainLoop),
}

/// Has the host quit when the reactor has stopped.
pub(crate) struct Quit {
    host: Host,
    context: MainContext,
    priority: Priority,
    is_wanted: Cell<bool>,
    /// The quit that is on its way.
    source: RefCell<Option<Source>>,
}

/// How often a host that does not run yet is looked at. Nothing tells when it begins.
const LOOK: Duration = Duration::from_millis(50);

const NAME: Option<&str> = Some("interloop: quit");

impl Quit {
    pub(crate) fn new(host: Host, context: &MainContext, priority: Priority) -> Quit {
        let (context, is_wanted) = (context.clone(), Cell::new(true));
        Quit { host, context, priority, is_wanted, source: RefCell::default() }
    }

    /// Has it quit from inside of its own loop: one that does not run yet would not notice, or, as an
    /// application, would refuse to run. Another loop may run in the context before.
    pub(crate) fn post(&self) {
        if !self.is_wanted.get() {
            return;
        }
        // The context is this thread's until the quit is forgotten.
        let host = ThreadGuard::new(self.host.clone());
        let source = if self.host.is_running() {
            let quit = move || {
                host.get_ref().quit();
                ControlFlow::Break
            };
            glib::idle_source_new(NAME, self.priority, quit)
        } else {
            let quit_when_it_runs = move || {
                let host = host.get_ref();
                if !host.is_running() {
                    return ControlFlow::Continue;
                }
                host.quit();
                ControlFlow::Break
            };
            glib::timeout_source_new(LOOK, NAME, self.priority, quit_when_it_runs)
        };
        source.attach(Some(&self.context));
        self.source.replace(Some(source));
    }

    /// Nothing is to be quit from here on, nor by what was posted.
    pub(crate) fn forget(&self) {
        self.is_wanted.set(false);
        let source = self.source.take();
        if let Some(source) = source {
            source.destroy();
        }
    }
}

impl Host {
    /// An application that runs is registered, and few are before. One that is gone is not waited for.
    fn is_running(&self) -> bool {
        match self {
            Host::Application(application) => {
                application.upgrade().is_none_or(|application| application.is_registered())
            }
            Host::MainLoop(main_loop) => main_loop.is_running(),
        }
    }

    fn quit(&self) {
        match self {
            Host::Application(application) => {
                if let Some(application) = application.upgrade() {
                    application.quit();
                }
            }
            Host::MainLoop(main_loop) => main_loop.quit(),
        }
    }
}
