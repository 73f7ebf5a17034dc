//! The test kit on SDL 3, and what only SDL can do wrong.

mod common;
mod traps;

use std::any::Any;
use std::cell::RefCell;
use std::process::ExitCode;
use std::time::Duration;

use common::{Kind, Outcome, Program, TITLE, X11};
use interloop::testing::Kit;
use sdl3::event::Event;
use sdl3::video::Window;
use sdl3::{EventPump, EventSubsystem};

fn main() -> ExitCode {
    let kit = Kit::new();
    let kit = kit.host::<Program<Dummy>>().host::<Program<OnX11>>().host::<Program<Frames>>();
    let kit = kit.host::<Program<Windowless>>();
    traps::add::<Dummy>(kit).run()
}

/// Without a display.
struct Dummy;

impl Kind for Dummy {
    type Sdl = Sdl3;
    const NAME: &'static str = "sdl3::dummy";
    const ENVIRONMENT: &'static [(&'static str, &'static str)] = &[("SDL_VIDEODRIVER", "dummy")];
}

struct OnX11;

impl Kind for OnX11 {
    type Sdl = Sdl3;
    const NAME: &'static str = "sdl3::x11";
    const ENVIRONMENT: &'static [(&'static str, &'static str)] = &[X11];
}

/// A loop that looks for events once in a frame.
struct Frames;

impl Kind for Frames {
    type Sdl = Sdl3;
    const NAME: &'static str = "sdl3::frames";
    const ENVIRONMENT: &'static [(&'static str, &'static str)] = &[X11];
    const FRAMES: bool = true;
}

/// Where SDL looks into its queue from time to time, because nothing wakes it.
struct Windowless;

impl Kind for Windowless {
    type Sdl = Sdl3;
    const NAME: &'static str = "sdl3::windowless";
    const ENVIRONMENT: &'static [(&'static str, &'static str)] = &[X11];
    const WINDOW: bool = false;
}

struct Sdl3 {
    pump: RefCell<EventPump>,
    _window: Option<Window>,
    events: EventSubsystem,
}

/// The program's own events.
struct Own;

impl common::Sdl for Sdl3 {
    type Event = Event;
    type Events = EventSubsystem;

    fn open(window: bool) -> Outcome<Sdl3> {
        let sdl = sdl3::init()?;
        let video = sdl.video()?;
        let window = window.then(|| video.window(TITLE, 320, 240).build()).transpose()?;
        let events = sdl.event()?;
        events.register_custom_event::<Own>()?;
        Ok(Sdl3 { pump: RefCell::new(sdl.event_pump()?), _window: window, events })
    }

    fn events(&self) -> &EventSubsystem {
        &self.events
    }

    fn wait(&self, timeout: Duration) -> Option<Event> {
        self.pump.borrow_mut().wait_event_timeout(timeout)
    }

    fn poll(&self) -> Option<Event> {
        self.pump.borrow_mut().poll_event()
    }

    fn push_own(&self) -> Outcome<()> {
        Ok(self.events.push_custom_event(Own)?)
    }

    fn push_quit(&self) -> Outcome<()> {
        Ok(self.events.push_event(Event::Quit { timestamp: 0 })?)
    }

    fn watch(&self, hear: impl FnMut(Event) + Send + 'static) -> Box<dyn Any> {
        Box::new(self.events.add_event_watch(hear))
    }

    fn is_own(&self, event: &Event) -> bool {
        event.as_user_event_type::<Own>().is_some()
    }

    fn user_type(event: &Event) -> Option<u32> {
        match event {
            Event::User { type_, .. } => Some(*type_),
            _ => None,
        }
    }

    fn is_quit(event: &Event) -> bool {
        matches!(event, Event::Quit { .. })
    }
}
