//! Joining a reactor to a main context.

use std::io;
use std::rc::Rc;

use gio::prelude::*;
use glib::{MainContext, MainLoop, Priority, Type};
use interloop::{Handle, Phase};

use crate::attached::{Attached, Drive, Driven};
use crate::context::Owned;
use crate::quit::{Host, Quit};
use crate::waker::waker;
use crate::watch::Watch;

/// Joins a reactor to the main context of this thread, and to the application that runs it: what
/// [`Attach::new`] has, as it comes.
///
/// # Errors
///
/// As [`Attach::to`].
pub fn attach(reactor: &Handle) -> io::Result<Attached> {
    Attach::new().to(reactor)
}

/// How a reactor is joined to a main context, for those who have a say in it.
///
/// ```
/// use glib::{MainLoop, Priority};
/// use interloop_glib::Attach;
///
/// let main_loop = MainLoop::new(None, false);
/// let reactor = interloop::Reactor::new()?;
/// let _attached =
///     Attach::new().priority(Priority::DEFAULT_IDLE).main_loop(&main_loop).to(&reactor)?;
/// reactor.stop();
/// // The reactor quits the loop when it has stopped.
/// main_loop.run();
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug)]
#[must_use = "it joins nothing before `to`"]
pub struct Attach {
    priority: Option<Priority>,
    drive: Option<Drive>,
    runs: Runs,
}

/// What runs the context.
#[derive(Clone, Debug)]
enum Runs {
    /// The process's application, where it has one and it runs this context.
    Default,
    Application(gio::Application),
    MainLoop(MainLoop),
}

/// The priority of GTK's painting: `G_PRIORITY_HIGH_IDLE + 20`.
const REDRAW: i32 = 120;

impl Attach {
    /// Embedded where the backend has a descriptor, and joined to the process's own [`gio::Application`],
    /// where there is one and this is its thread.
    pub fn new() -> Attach {
        Attach { priority: None, drive: None, runs: Runs::Default }
    }

    /// The priority at which turns run, next to all other sources of the context.
    ///
    /// A source that is always ready keeps all those of lower priorities waiting, and a reactor in a
    /// flood of I/O is one; among equals they take turns. GTK takes input at `DEFAULT` and paints at 120
    /// (`GDK_PRIORITY_REDRAW`), which is lower. So, without this, it is 120 in an application of GTK's:
    /// input comes first, and then a turn and a frame take turns. Elsewhere it is `DEFAULT`.
    pub fn priority(mut self, priority: Priority) -> Attach {
        self.priority = Some(priority);
        self
    }

    /// By this drive and no other. Otherwise the reactor is embedded where its backend has a descriptor, and
    /// driven by a worker elsewhere.
    pub fn drive(mut self, drive: Drive) -> Attach {
        self.drive = Some(drive);
        self
    }

    /// Joins the reactor to this application: when the application shuts down, the reactor is finished;
    /// when the reactor has stopped, the application quits. It runs the global default context, which
    /// therefore has to be that of this thread.
    ///
    /// One that is registered counts as running. Where the program itself has registered it before `run`, a reactor that
    /// stops in between has it quit at once, and `run` refuses then, with the exit code 1.
    pub fn application(mut self, application: &impl IsA<gio::Application>) -> Attach {
        self.runs = Runs::Application(application.clone().upcast());
        self
    }

    /// Joins the reactor to this loop: when the reactor has stopped, the loop quits. A loop does not tell
    /// when it ends, so the reactor is finished when what [`to`](Attach::to) returns is dropped. One that was
    /// made as running, by `MainLoop::new(.., true)`, is taken at its word: until it runs, a quit is lost on it.
    pub fn main_loop(mut self, main_loop: &MainLoop) -> Attach {
        self.runs = Runs::MainLoop(main_loop.clone());
        self
    }

    /// Joins the reactor. The context is the thread-default one of this thread, or the global one; it
    /// belongs to this thread until what is returned is dropped.
    ///
    /// The loop need not run yet: what was posted before is delivered when it does. Nor need it when the
    /// reactor stops, in another loop or by itself: then it quits as soon as it runs.
    ///
    /// # Errors
    ///
    /// `ResourceBusy` when another thread owns the context; `InvalidInput` when an application or a loop
    /// was named that runs another one; `Unsupported` when the drive was named and is not to be had;
    /// `AlreadyExists` when something drives the reactor already; `NotConnected` when it has stopped; what
    /// the operating system said when the reactor could not be driven.
    pub fn to(self, reactor: &Handle) -> io::Result<Attached> {
        let context = Owned::take()?;
        let (application, host) = self.runs.resolve(context.get())?;
        let paints = application.as_ref().is_some_and(is_gtk_s);
        let usual = if paints { Priority::from(REDRAW) } else { Priority::DEFAULT };
        let priority = self.priority.unwrap_or(usual);
        let quit = host.map(|host| Rc::new(Quit::new(host, context.get(), priority)));
        let at_the_end = quit.as_ref().map(|quit| {
            let quit = Rc::clone(quit);
            let end = async move { quit.post() };
            reactor.on_shutdown(Phase::After, end).map(|trigger| trigger.label("quit the host"))
        });
        let at_the_end = at_the_end.transpose()?;
        let driven = self.join(reactor, context.get(), priority)?;
        Ok(Attached::new(reactor, context, driven, quit, at_the_end, application))
    }

    /// Embeds the reactor, or else interleaves it.
    fn join(
        &self,
        reactor: &Handle,
        context: &MainContext,
        priority: Priority,
    ) -> io::Result<Driven> {
        if self.drive != Some(Drive::Worker) {
            match Watch::new(reactor, context, priority) {
                Err(error)
                    if error.kind() == io::ErrorKind::Unsupported && self.drive.is_none() => {}
                embedded => return embedded.map(Driven::Embedded),
            }
        }
        reactor.interleave(waker(context, priority)).map(Driven::Worker)
    }
}

impl Runs {
    /// The application whose shutdown is the end, and what is to be quit.
    fn resolve(
        &self,
        context: &MainContext,
    ) -> io::Result<(Option<gio::Application>, Option<Host>)> {
        let is_global = *context == MainContext::default();
        // Asked for on its own thread only.
        let default = || if is_global { gio::Application::default() } else { None };
        let wrong = |what: &str| {
            let message = format!("{what} does not run the main context of this thread");
            Err(io::Error::new(io::ErrorKind::InvalidInput, message))
        };
        let application = match self {
            Runs::MainLoop(main_loop) if main_loop.context() != *context => {
                return wrong("the loop");
            }
            Runs::MainLoop(main_loop) => {
                return Ok((None, Some(Host::MainLoop(main_loop.clone()))));
            }
            Runs::Application(_) if !is_global => return wrong("the application"),
            Runs::Application(application) => Some(application.clone()),
            Runs::Default => default(),
        };
        let host = application.as_ref().map(|running| Host::Application(running.downgrade()));
        Ok((application, host))
    }
}

/// True for an application of GTK's. The library has no need of GTK but for this name.
fn is_gtk_s(application: &gio::Application) -> bool {
    Type::from_name("GtkApplication").is_some_and(|gtk| application.type_().is_a(gtk))
}

impl Default for Attach {
    fn default() -> Attach {
        Attach::new()
    }
}
