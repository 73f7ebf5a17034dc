//! winit: a user event for each call.

use std::io;

use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoopProxy};
use winit::window::WindowId;

use super::scene::{Boxed, Caller, Scene};
use crate::compare::Figure;
use crate::systems::winit::event_loop;

/// A call; None when all have run.
type Message = Option<Boxed>;

impl Caller for EventLoopProxy<Message> {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        // One that is refused is missed at the end.
        let _refused = self.send_event(Some(Box::new(call)));
    }
}

pub(super) fn host(scene: Scene) -> io::Result<Vec<Figure>> {
    let event_loop = event_loop::<Message>()?;
    let proxy = event_loop.create_proxy();
    let calling = scene.start(event_loop.create_proxy(), move || {
        // A loop that is gone has no need to be told.
        let _gone = proxy.send_event(None);
    })?;
    event_loop.run_app(&mut Calls).map_err(io::Error::other)?;
    calling.figures()
}

/// An application without a window.
struct Calls;

impl ApplicationHandler<Message> for Calls {
    fn resumed(&mut self, _event_loop: &ActiveEventLoop) {}

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}

    fn user_event(&mut self, event_loop: &ActiveEventLoop, message: Message) {
        match message {
            Some(call) => call(),
            None => event_loop.exit(),
        }
    }
}
