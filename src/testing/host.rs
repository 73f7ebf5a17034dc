//! What the kit asks of a host.

use std::any::Any;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use crate::Reactor;

/// An event loop, as the test kit drives it.
///
/// Every method is called on one thread, the main thread of a process that the kit has started for one
/// case; callbacks are called there too, from inside the loop. A toolkit with several drives or several
/// dispatchers is several hosts: `struct Gtk<const EMBEDDED: bool>`, say, each with a name of its own.
pub trait Host: 'static {
    /// What the host is called, in the names of the cases: `gtk::embedded`.
    const NAME: &'static str;

    /// What is added to the environment of the processes in which this host is tried, such as what
    /// makes a toolkit take another dispatcher.
    const ENVIRONMENT: &'static [(&'static str, &'static str)] = &[];

    /// Whether the adapter ends the loop by itself when the reactor has stopped. Where it does not, the
    /// kit adds an `After` trigger that calls [`quit`](Host::quit), as a program would have to.
    const STOP_QUITS: bool = true;

    /// What the toolkit itself may leave behind at its end: kinds of descriptors, as `/proc/self/fd` shows
    /// them (`socket`, `pipe`, `anon_inode:[eventfd]`), and how many. What it always opens need not be
    /// told: the kit sees that from a run without a reactor.
    const LEAVES: &'static [(&'static str, usize)] = &[];

    /// Makes the toolkit ready, with a window where it has windows. Once in a process.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the toolkit cannot run here (no display, a library that is missing): the kit
    /// skips its cases and says why. Any other error fails them.
    fn open() -> io::Result<Rc<Self>>;

    /// Joins the reactor to the loop, as the adapter's users do: before the loop runs, or inside a
    /// callback of it. The kit drops what is returned when the loop has ended, and expects that this
    /// has finished the reactor: that is either the adapter's guard, or
    /// [`finish_on_drop`](crate::Handle::finish_on_drop).
    ///
    /// # Errors
    ///
    /// What the adapter said. `Unsupported` skips the case, wherever it runs: the backend may have no
    /// descriptor to embed.
    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>>;

    /// Runs the loop until [`quit`](Host::quit).
    fn run(&self);

    /// Ends the loop, from a callback, as the toolkit's own "quit" does. It may be called twice.
    fn quit(&self);

    /// Opens a loop inside the callback that runs, as a modal dialog does, until `done` says so. The
    /// toolkit asks `done` from time to time, in the nested loop.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the toolkit has no such thing, which skips the case, wherever it runs.
    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()>;

    /// Calls back again and again, by a timer of the toolkit's own, as long as the loop runs.
    fn every(&self, period: Duration, callback: Box<dyn FnMut()>);

    /// Calls back once from the running loop, by the toolkit's own way to post to itself. Called before
    /// [`run`](Host::run), this is the first callback of the loop.
    fn post(&self, callback: Box<dyn FnOnce()>);

    /// Closes the window as a user does, so that the loop ends. Where there is no window, this is
    /// [`quit`](Host::quit).
    fn close(&self) {
        self.quit();
    }

    /// Destroys what the adapter posts to (the application, the window, the loop), from outside of the
    /// loop, while the reactor may be posting. The loop does not run again. It is called once, before or
    /// after what [`attach`](Host::attach) returned is dropped.
    fn destroy(&self);
}
