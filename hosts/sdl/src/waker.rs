//! The raw hook.

use std::io;

use interloop::Tick;

use crate::events::Events;
use crate::types::EventType;

/// The closure that [`interleave`](interloop::Handle::interleave) asks for, and the type of the events that it
/// pushes. Where one of these arrives, the program calls [`Handle::turn`](interloop::Handle::turn).
///
/// The queue of SDL holds 65,535 events and refuses more. The tick is dropped then, so that the reactor tries
/// again later; nothing that it announces is lost.
///
/// The closure does not keep SDL alive. `SDL_Quit` destroys the lock of the event queue that another thread may
/// be waiting for: see that the reactor has finished before, as [`attach`](crate::attach) does.
///
/// The type stays taken when the closure is dropped, as nobody here knows what the program still does with it. SDL has
/// 32,767 of them for the whole process: a program that makes wakers again and again best uses
/// [`attach`](crate::attach), whose types come back.
///
/// # Errors
///
/// When SDL has no event types left.
pub fn waker<S: Events>(
    events: &S,
) -> io::Result<(impl Fn(Tick) + Send + Sync + use<S> + 'static, u32)> {
    let event_type = EventType::take(events)?.keep();
    Ok((pusher(events, event_type), event_type))
}

/// The closure, for a type that the caller has.
pub(crate) fn pusher<S: Events>(
    events: &S,
    event_type: u32,
) -> impl Fn(Tick) + Send + Sync + use<S> + 'static {
    let sender = events.sender();
    move |tick: Tick| {
        // A tick that is dropped is a failed post.
        if S::push(&sender, event_type) {
            tick.detach();
        }
    }
}
