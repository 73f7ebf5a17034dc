//! The adapter: all that stands between the toolkit and a reactor. docs/hosts.md is the checklist for it.

use std::io;
use std::time::Duration;

use interloop::{FinishGuard, Phase, Reactor, Tick};

use crate::toolkit::App;

/// How long the reactor may take to finish, once the loop has ended.
const LIMIT: Duration = Duration::from_secs(10);

/// The raw hook, for those who call `interleave` themselves.
///
/// It runs on any thread, it only posts, and it looks at no result: where the toolkit refuses the post, it
/// drops the closure, and with that the tick, which the reactor takes for a failed post.
pub fn waker(app: &App) -> impl Fn(Tick) + Send + Sync + 'static {
    let poster = app.poster();
    move |tick| drop(poster.post(move || tick.run()))
}

/// What joins a reactor to the loop. Dropped when the loop has ended, it finishes the reactor: `Before`
/// triggers may talk to the network yet.
#[must_use = "the reactor is finished when this is dropped"]
pub struct Attached {
    _finish: FinishGuard,
}

/// Joins a reactor to the loop: before it runs, or in a callback of it.
///
/// # Errors
///
/// `AlreadyExists` when something drives the reactor already.
pub fn attach(app: &App, reactor: &Reactor) -> io::Result<Attached> {
    let proxy = reactor.waker_proxy();
    // No loop runs, and posts would be refused: the reactor remembers that there is something to do.
    proxy.hold();
    if let Err(error) = reactor.interleave(waker(app)) {
        proxy.release()?;
        return Err(error);
    }
    let start = proxy.clone();
    // It fails only where nothing is held.
    app.on_start(move || start.release().expect("it was held above"));
    app.on_end(move || proxy.hold());

    // When the reactor has stopped, so does the application.
    let app = app.downgrade();
    let quit = async move {
        if let Some(app) = app.upgrade() {
            app.quit();
        }
    };
    reactor.on_shutdown(Phase::After, quit)?.label("quit the application").detach();
    Ok(Attached { _finish: reactor.finish_on_drop(LIMIT) })
}
