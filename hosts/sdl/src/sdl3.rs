//! SDL 3.
#![allow(unsafe_code)]

use std::io;
use std::ptr;

use sdl3::EventSubsystem;
use sdl3::event::{Event, EventSender};
use sdl3::sys::events::SDL_RegisterEvents;

use crate::events::{registered, sealed};

impl sealed::Events for EventSubsystem {
    type Sender = EventSender;

    fn register(&self) -> io::Result<u32> {
        // SAFETY: the event subsystem is there as long as `self` is. The types come from an atomic counter.
        registered(unsafe { SDL_RegisterEvents(1) })
    }

    fn sender(&self) -> EventSender {
        self.event_sender()
    }

    fn push(sender: &EventSender, event_type: u32) -> bool {
        let event = Event::User {
            timestamp: 0,
            window_id: 0,
            type_: event_type,
            code: 0,
            data1: ptr::null_mut(),
            data2: ptr::null_mut(),
        };
        sender.push_event(event).is_ok()
    }

    fn flush(&self, event_type: u32) {
        self.flush_events(event_type, event_type);
    }

    fn push_quit(&self) -> bool {
        self.push_event(Event::Quit { timestamp: 0 }).is_ok()
    }
}

impl sealed::Event for Event {
    fn user_type(&self) -> Option<u32> {
        match self {
            Event::User { type_, .. } => Some(*type_),
            _ => None,
        }
    }
}
