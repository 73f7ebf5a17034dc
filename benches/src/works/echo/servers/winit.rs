//! winit: a user event for each message.

use std::io;

use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::ActiveEventLoop;
use winit::window::WindowId;

use super::io_thread::{IoThread, Message};
use crate::systems::winit::event_loop;
use crate::works::echo::scene::Scene;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let event_loop = event_loop::<Message>()?;
    let proxy = event_loop.create_proxy();
    let io = IoThread::start(scene, move |message| {
        // A loop that is gone needs no messages.
        let _gone = proxy.send_event(message);
    })?;
    let mut echo = Echo { io };
    event_loop.run_app(&mut echo).map_err(io::Error::other)?;
    echo.io.join()
}

struct Echo {
    io: IoThread,
}

impl ApplicationHandler<Message> for Echo {
    fn resumed(&mut self, _event_loop: &ActiveEventLoop) {}

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}

    fn user_event(&mut self, event_loop: &ActiveEventLoop, message: Message) {
        match message {
            // Without a thread there is nobody to answer.
            Some(bytes) => drop(self.io.answers.send(bytes)),
            None => event_loop.exit(),
        }
    }
}
