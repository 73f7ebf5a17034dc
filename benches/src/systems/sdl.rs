//! SDL 2's event queue, with a window: under X11 it is what other threads wake SDL by.

use std::io;

use interloop::Reactor;
use sdl2::event::Event;
use sdl2::video::Window;
use sdl2::{EventPump, EventSubsystem};

use super::display;
use super::left_out;
use super::ours::Drive;

/// SDL, and what has to stay for it to work.
pub(crate) struct Sdl {
    pub(crate) pump: EventPump,
    pub(crate) events: EventSubsystem,
    _window: Window,
}

impl Sdl {
    pub(crate) fn open() -> io::Result<Sdl> {
        display::check()?;
        let open = || {
            let sdl = sdl2::init()?;
            let video = sdl.video()?;
            // Where the display does not answer, SDL takes a driver that nothing can wake, and looks for
            // events from time to time.
            let driver = video.current_video_driver();
            if ["dummy", "offscreen", "evdev"].contains(&driver) {
                return Err(format!("the display does not answer, there is {driver} only"));
            }
            let window = video.window("interloop-benches", 64, 64).build();
            let window = window.map_err(|error| error.to_string())?;
            Ok(Sdl { pump: sdl.event_pump()?, events: sdl.event()?, _window: window })
        };
        open().map_err(|error: String| left_out(&format!("SDL does not open here: {error}")))
    }
}

/// Runs a reactor in a loop over SDL's events until it has stopped.
pub(crate) fn host(reactor: &Reactor, drive: Drive) -> io::Result<()> {
    if drive != Drive::Worker {
        return Err(left_out("SDL watches no descriptor"));
    }
    let mut sdl = Sdl::open()?;
    let attached = interloop_sdl::attach(reactor, &sdl.events)?;
    loop {
        let event = sdl.pump.wait_event();
        if !attached.handle(&event) && matches!(event, Event::Quit { .. }) {
            return Ok(());
        }
    }
}
