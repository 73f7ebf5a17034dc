//! SDL 2.
#![allow(unsafe_code)]

use std::ffi::{c_int, c_void};
use std::io;
use std::ptr;

use sdl2::EventSubsystem;
use sdl2::event::{Event, EventSender};
use sdl2::sys::{
    SDL_Event, SDL_EventType, SDL_FilterEvents, SDL_PushEvent, SDL_RegisterEvents, SDL_UserEvent,
};

use crate::events::{registered, sealed};
use crate::types::Types;

static TYPES: Types = Types::new();

/// Its address is in each quit that is pushed here.
static MARK: u8 = 0;

impl sealed::Events for EventSubsystem {
    type Sender = EventSender;

    fn types() -> &'static Types {
        &TYPES
    }

    fn register(&self) -> io::Result<u32> {
        // SAFETY: the event subsystem is there as long as `self` is. It is bound to its thread, and so are the types, which SDL counts
        // without a lock.
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

    fn push_quit(&self, mark: u32) -> bool {
        // What is behind the time of a quit means nothing to SDL, which copies the whole union into its queue.
        let user = SDL_UserEvent {
            type_: SDL_EventType::SDL_QUIT as u32,
            timestamp: 0,
            windowID: 0,
            code: mark as i32,
            data1: (&raw const MARK).cast_mut().cast(),
            data2: ptr::null_mut(),
        };
        // SAFETY: the event subsystem is there as long as `self` is, and the event is copied.
        let pushed = unsafe { SDL_PushEvent(&mut SDL_Event { user }) };
        // 0 is the answer of a filter of the program's, which is not asked again; the queue is full where it is less.
        pushed >= 0
    }

    fn flush_quit(&self, mark: u32) {
        // SAFETY: the event subsystem is there as long as `self` is. The filter takes a number, and calls nothing of
        // SDL's, whose queue is locked meanwhile.
        unsafe { SDL_FilterEvents(Some(is_another), ptr::without_provenance_mut(mark as usize)) };
    }
}

/// What stays in the queue: all but the quit with the mark.
unsafe extern "C" fn is_another(mark: *mut c_void, event: *mut SDL_Event) -> c_int {
    // SAFETY: SDL lends an event of its queue. Each is a whole union, of integers and pointers here, whatever they
    // say in an event of another kind.
    let user = unsafe { (*event).user };
    let is_it = user.type_ == SDL_EventType::SDL_QUIT as u32
        && user.code as u32 as usize == mark.addr()
        && ptr::eq(user.data1.cast(), &raw const MARK);
    c_int::from(!is_it)
}

impl sealed::Event for Event {
    fn user_type(&self) -> Option<u32> {
        match self {
            Event::User { type_, .. } => Some(*type_),
            _ => None,
        }
    }
}
