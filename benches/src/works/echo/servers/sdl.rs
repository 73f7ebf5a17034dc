//! SDL: a user event for each message.

use std::io;

use sdl2::event::Event;

use super::io_thread::{IoThread, Message};
use crate::systems::sdl::Sdl;
use crate::works::echo::scene::Scene;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let mut sdl = Sdl::open()?;
    sdl.events.register_custom_event::<Message>().map_err(io::Error::other)?;
    let sender = sdl.events.event_sender();
    let io = IoThread::start(scene, move |message| {
        sender.push_custom_event(message).expect("there is room in the queue");
    })?;
    loop {
        let event = sdl.pump.wait_event();
        match event.as_user_event_type::<Message>() {
            Some(None) => return io.join(),
            // Without a thread there is nobody to answer.
            Some(Some(bytes)) => drop(io.answers.send(bytes)),
            None if matches!(event, Event::Quit { .. }) => return io.join(),
            None => {}
        }
    }
}
