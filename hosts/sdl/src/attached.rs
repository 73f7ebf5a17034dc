//! Joining a reactor to the event queue.

use std::cell::Cell;
use std::fmt;
use std::io;
use std::rc::Rc;
use std::thread::{self, ThreadId};
use std::time::Duration;

use interloop::{Handle, Phase, Trigger, WakerProxy};

use crate::events::{Event, Events};
use crate::types::EventType;
use crate::waker::pusher;

/// How long a reactor may take to finish, unless told otherwise.
const FINISH_WITHIN: Duration = Duration::from_secs(10);

/// Joins a reactor to SDL's event queue. On the main thread, where SDL and the reactor are, before the
/// program's loop or in it.
///
/// What was posted to the reactor before comes with the first events of the loop. When the reactor is
/// [stopped](Handle::stop), an `SDL_QUIT` event follows the `After` triggers; when the loop has ended, dropping what
/// this returns finishes the reactor.
///
/// # Errors
///
/// As [`Handle::interleave`]; an error of its own when SDL has no event types left.
pub fn attach<S: Events>(reactor: &Handle, events: &S) -> io::Result<Attached> {
    let event_type = EventType::take(events)?;
    let number = event_type.number();
    let wake = pusher(events, number);
    let events = events.clone();
    let quit = Rc::new(Quit {
        due: Cell::new(false),
        push: Box::new({
            let events = events.clone();
            move || events.push_quit(number)
        }),
    });
    let after = {
        let quit = Rc::clone(&quit);
        reactor.on_shutdown(Phase::After, async move {
            quit.due.set(true);
            quit.push();
        })?
    };
    let proxy = reactor.interleave(wake)?;
    Ok(Attached {
        reactor: reactor.handle(),
        thread: thread::current().id(),
        event_type,
        timeout: FINISH_WITHIN,
        proxy,
        after: Some(after.label("push SDL_QUIT")),
        quit,
        flush: Box::new(move || {
            events.flush(number);
            events.flush_quit(number);
        }),
    })
}

/// How an attached reactor is driven.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Drive {
    /// A worker thread waits, and pushes an event when there is something to do.
    Worker,
}

/// A reactor that is joined to SDL's event queue, from [`attach`].
///
/// Dropping it finishes the reactor, and detaches it; an `SDL_QUIT` of its own that nobody has taken out of the queue
/// yet goes with it, so that it does not end another loop. It keeps SDL alive: `SDL_Quit` follows when it and the
/// program's own handles of SDL are gone, in whatever order they go. Where a program or a library calls
/// `SDL_Quit` itself, this has to be dropped before.
#[must_use = "the reactor is finished when this is dropped"]
pub struct Attached {
    reactor: Handle,
    /// The reactor's.
    thread: ThreadId,
    event_type: EventType,
    timeout: Duration,
    proxy: WakerProxy,
    /// None when the loop is to outlive the reactor.
    after: Option<Trigger>,
    quit: Rc<Quit>,
    /// Takes what is the reactor's out of the queue. It is the adapter's share of SDL.
    flush: Box<dyn Fn()>,
}

/// The `SDL_QUIT` event of the reactor's end.
struct Quit {
    /// It is to be pushed, and the queue has not taken it yet.
    due: Cell<bool>,
    push: Box<dyn Fn() -> bool>,
}

impl Quit {
    fn push(&self) {
        // An event watch that hands the quit to the reactor comes here again while it is pushed.
        if self.due.take() && !(self.push)() {
            self.due.set(true);
        }
    }
}

impl Attached {
    /// How the reactor is driven.
    pub fn drive(&self) -> Drive {
        Drive::Worker
    }

    /// Takes an event of the loop, and runs a turn of the reactor if it is the reactor's. True when it was, and
    /// is nothing to the program.
    ///
    /// In an event watch, or an event filter, an event of the reactor's is answered without a turn: SDL calls these
    /// inside the push, on the thread that pushes. The turn comes where the loop takes the event out of the queue. A
    /// filter has to let it through.
    ///
    /// # Panics
    ///
    /// With the panic of a callback, once everything else in the turn has run.
    pub fn handle(&self, event: &impl Event) -> bool {
        let ours = event.user_type() == Some(self.event_type.number());
        if thread::current().id() != self.thread {
            return ours;
        }
        if ours {
            self.reactor.turn();
        }
        // A full queue has room again when an event was taken from it.
        self.quit.push();
        ours
    }

    /// Gives the reactor another time than 10 s to finish in. What has not ended by then is cancelled and
    /// reported.
    pub fn finish_within(mut self, timeout: Duration) -> Attached {
        self.timeout = timeout;
        self
    }

    /// Pushes no `SDL_QUIT` when the reactor has stopped.
    pub fn keep_running(mut self) -> Attached {
        self.after = None;
        self.quit.due.set(false);
        if self.reactor.is_stopped() {
            // The quit may be in the queue.
            (self.flush)();
        }
        self
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        // The loop has ended already, and the program may run another one later.
        self.after = None;
        // Behind the end of the reactor, also where a callback's panic comes out of that.
        let _silenced = Silenced(self);
        drop(self.reactor.finish_on_drop(self.timeout));
    }
}

/// Silences the reactor when it is dropped.
struct Silenced<'a>(&'a Attached);

impl Drop for Silenced<'_> {
    fn drop(&mut self) {
        // Where it could not finish, in a panic or inside one of its own callbacks, it is at least silent.
        self.0.proxy.hold();
        // A later loop of the program would not know what to do with them.
        (self.0.flush)();
    }
}

impl fmt::Debug for Attached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attached").field("reactor", &self.reactor).finish_non_exhaustive()
    }
}
