//! What the adapter needs of an SDL, whichever it is.

/// The event subsystem of an SDL: `sdl2::EventSubsystem` or `sdl3::EventSubsystem`.
pub trait Events: sealed::Events {}

impl<E: sealed::Events> Events for E {}

/// An event of an SDL: `sdl2::event::Event` or `sdl3::event::Event`.
pub trait Event: sealed::Event {}

impl<E: sealed::Event> Event for E {}

pub(crate) mod sealed {
    use std::io;

    use crate::types::Types;

    /// SDL lives at least as long as a clone of it.
    pub trait Events: Clone + 'static {
        /// The types that may be used again.
        fn types() -> &'static Types;

        /// A new type of user events, which nobody else has.
        fn register(&self) -> io::Result<u32>;

        /// What pushes events on any thread. It does not keep SDL alive.
        type Sender: Send + Sync + 'static;

        fn sender(&self) -> Self::Sender;

        /// Pushes an event of the type. True when it is in the queue.
        fn push(sender: &Self::Sender, event_type: u32) -> bool;

        /// Takes all events of the type out of the queue.
        fn flush(&self, event_type: u32);

        /// Pushes what SDL pushes when the user closes the last window, with a mark in it that only `flush_quit`
        /// looks at. True when it is in the queue.
        fn push_quit(&self, mark: u32) -> bool;

        /// Takes those with this mark out of the queue, and leaves those of the user.
        fn flush_quit(&self, mark: u32);
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
