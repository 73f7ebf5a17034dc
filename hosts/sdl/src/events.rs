//! What the adapter needs of an SDL, whichever it is.

/// The event subsystem of an SDL: `sdl2::EventSubsystem` or `sdl3::EventSubsystem`.
pub trait Events: sealed::Events {}

impl<E: sealed::Events> Events for E {}

/// An event of an SDL: `sdl2::event::Event` or `sdl3::event::Event`.
pub trait Event: sealed::Event {}

impl<E: sealed::Event> Event for E {}

pub(crate) mod sealed {
    use std::io;

    /// SDL lives at least as long as a clone of it.
    pub trait Events: Clone + 'static {
        /// A type of user events that nobody else has.
        fn register(&self) -> io::Result<u32>;

        /// What pushes events on any thread. It does not keep SDL alive.
        type Sender: Send + Sync + 'static;

        fn sender(&self) -> Self::Sender;

        /// Pushes an event of the type. True when it is in the queue.
        fn push(sender: &Self::Sender, event_type: u32) -> bool;

        /// Takes all events of the type out of the queue.
        fn flush(&self, event_type: u32);

        /// Pushes what SDL pushes when the user closes the last window.
        fn push_quit(&self) -> bool;
    }

    pub trait Event {
        /// The type of a user event.
        fn user_type(&self) -> Option<u32>;
    }
}

/// The answer of `SDL_RegisterEvents` as a result.
pub(crate) fn registered(event_type: u32) -> std::io::Result<u32> {
    if event_type == u32::MAX {
        return Err(std::io::Error::other("SDL_RegisterEvents: SDL has no event types left"));
    }
    Ok(event_type)
}
