//! The raw hook.

use std::io;

use interloop::Tick;

use crate::events::Events;

/// The closure that [`interleave`](interloop::Handle::interleave) asks for, and the type of the events that it
/// pushes. Where one of these arrives, the program calls [`Handle::turn`](interloop::Handle::turn).
///
/// The queue of SDL holds 65,535 events and refuses more. The tick is dropped then, so that the reactor tries
/// again later; nothing that it announces is lost.
///
/// The closure does not keep SDL alive. `SDL_Quit` destroys the lock of the event queue that another thread may
/// be waiting for: see that the reactor has finished before, as [`attach`](crate::attach) does.
///
/// # Errors
///
/// When SDL has no event types left.
pub fn waker<S: Events>(
    events: &S,
) -> io::Result<(impl Fn(Tick) + Send + Sync + use<S> + 'static, u32)> {
    let event_type = events.register()?;
    let sender = events.sender();
    let wake = move |tick: Tick| {
        // A tick that is dropped is a failed post.
        if S::push(&sender, event_type) {
            tick.detach();
        }
    };
    Ok((wake, event_type))
}
