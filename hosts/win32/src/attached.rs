//! A reactor that has been joined to the message loop.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use interloop::{Handle, Phase, Trigger};

use crate::window::{self, Window};

/// How long the reactor may take to finish, unless told otherwise.
const FINISH_LIMIT: Duration = Duration::from_secs(10);

/// How an attached reactor is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Drive {
    /// A worker thread waits, and posts a message when there is something to do.
    Worker,
}

/// A reactor that has been joined to the message loop of this thread, from [`attach`].
///
/// Dropping it finishes the reactor and destroys the window that was posted to. That belongs after the loop,
/// and not into a callback of the reactor, where finishing would wait for that callback: there it only lets
/// go of the loop. It may be dropped before or after the reactor.
#[must_use = "the reactor is finished and detached when this is dropped"]
pub struct Attached {
    reactor: Handle,
    limit: Duration,
    window: Arc<Window>,
    /// None when the loop is to outlive the reactor.
    quit: Option<Trigger>,
}

/// Joins the reactor to the message loop of this thread, which runs already or will.
///
/// What is posted before the loop runs is delivered when it does. When the reactor has stopped, after
/// [`stop`](Handle::stop), `WM_QUIT` is posted; when the loop has ended, by this or another `WM_QUIT`,
/// dropping what this returns finishes the reactor.
///
/// # Errors
///
/// As [`Handle::interleave`]; what the operating system said when it refused a window.
pub fn attach(reactor: &Handle) -> io::Result<Attached> {
    let quit = reactor.on_shutdown(Phase::After, async { window::post_quit() })?;
    let window = Arc::new(Window::open()?);
    let posted_to = Arc::clone(&window);
    reactor.interleave(move |tick| posted_to.post(tick))?;
    Ok(Attached {
        reactor: reactor.handle(),
        limit: FINISH_LIMIT,
        window,
        quit: Some(quit.label("post WM_QUIT")),
    })
}

impl Attached {
    /// How the reactor is driven.
    pub fn drive(&self) -> Drive {
        Drive::Worker
    }

    /// Gives the reactor `limit` to finish, when this is dropped. What is left then is cancelled, and
    /// reported. Ten seconds, unless told otherwise.
    pub fn finish_within(mut self, limit: Duration) -> Attached {
        self.limit = limit;
        self
    }

    /// Posts no `WM_QUIT` when the reactor has stopped.
    pub fn keep_running(mut self) -> Attached {
        self.quit = None;
        self
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // The loop has ended already, and the next one of this thread, be it that of a message box, would
        // end at once.
        self.quit = None;
        drop(self.reactor.finish_on_drop(self.limit));
        self.window.close();
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").field("reactor", &self.reactor).finish_non_exhaustive()
    }
}
