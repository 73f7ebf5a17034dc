//! The one message to the host.

use std::fmt;
use std::sync::Arc;

use crate::local;
use crate::report::Report;
use crate::shared::Shared;

/// The one message to the host: "run me on your thread".
///
/// The waker gets it and posts it to the host thread, which calls [`run`](Tick::run). It carries no
/// data, costs no allocation, and at most one is outstanding. What it announces is kept in the
/// reactor: a tick that is lost loses nothing.
///
/// A tick that is dropped without having been run is a failed post: the reactor sees it and posts
/// again, after a while that doubles from one millisecond. One that the host swallows without
/// dropping it is noticed after [`Builder::rewake_after`](crate::Builder::rewake_after). So a waker
/// need not look at the result of its post:
///
/// ```
/// use std::sync::mpsc;
///
/// let (queue, host) = mpsc::channel();
/// let reactor = interloop::Reactor::new()?;
/// reactor.interleave(move |tick| drop(queue.send(tick)))?;
/// # reactor.remote().call(|| ()).ok();
/// # let mut ticks = host.iter();
/// // On the host thread, in the loop of the host:
/// ticks.next().unwrap().run();
/// # Ok::<(), std::io::Error>(())
/// ```
#[must_use = "a tick that is dropped is a failed post"]
pub struct Tick {
    shared: Arc<Shared>,
    spent: bool,
}

impl Tick {
    pub(crate) fn new(shared: Arc<Shared>) -> Tick {
        Tick { shared, spent: false }
    }

    /// Runs a turn of the reactor. Call it on the host thread, from the host loop.
    ///
    /// On any other thread it runs nothing, is reported, and counts as a failed post. Inside the
    /// waker itself, where callbacks would run under the feet of whoever woke the host, it runs
    /// nothing either; the worker posts once more, from its own thread.
    ///
    /// # Panics
    ///
    /// With the panic of a callback, once everything else in the turn has run.
    pub fn run(mut self) {
        let Some(core) = local::find(self.shared.id) else {
            if !self.shared.is_over() {
                self.shared.report(&Report::WrongThread);
                return;
            }
            self.spent = true;
            return;
        };
        self.spent = true;
        if local::is_waking() {
            self.shared.post_inline();
        } else {
            core.turn();
        }
    }

    /// Lets the tick go, for a host whose message cannot carry a value: the host thread then calls
    /// [`Handle::turn`](crate::Handle::turn).
    pub fn detach(mut self) {
        self.spent = true;
    }

    /// Makes a number of the tick, for a host whose message carries one word.
    ///
    /// It is the reactor's number, not an address: it may be lost, used twice, or arrive when the
    /// reactor is gone.
    pub fn into_raw(self) -> usize {
        let id = self.shared.id;
        self.detach();
        id
    }

    /// The tick whose [`into_raw`](Tick::into_raw) this was. None when no such reactor lives on
    /// this thread, so that there is nothing to run.
    pub fn from_raw(raw: usize) -> Option<Tick> {
        local::find(raw).map(|core| Tick::new(Arc::clone(&core.shared)))
    }
}

impl Drop for Tick {
    fn drop(&mut self) {
        if !self.spent {
            self.shared.post_failed();
        }
    }
}

impl fmt::Debug for Tick {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tick").field(&self.shared.id).finish()
    }
}
