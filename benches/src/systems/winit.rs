//! winit's event loop.

use std::io;

use interloop::Reactor;
use interloop_winit::{Host, attach};
use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoop};
use winit::window::WindowId;

use super::display;
use super::left_out;
use super::ours::Drive;

/// A loop whose events carry a `T`.
pub(crate) fn event_loop<T>() -> io::Result<EventLoop<T>> {
    display::check()?;
    let built = EventLoop::with_user_event().build();
    built.map_err(|error| left_out(&format!("winit does not open here: {error}")))
}

/// Runs a reactor in the loop until it has stopped.
pub(crate) fn host(reactor: &Reactor, drive: Drive) -> io::Result<()> {
    if drive != Drive::Worker {
        return Err(left_out("winit watches no descriptor"));
    }
    let event_loop = event_loop::<()>()?;
    let _attached = attach(reactor, event_loop.create_proxy(), || ())?;
    event_loop.run_app(&mut Host(Nothing)).map_err(io::Error::other)
}

/// An application without a window.
struct Nothing;

impl ApplicationHandler for Nothing {
    fn resumed(&mut self, _event_loop: &ActiveEventLoop) {}

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}
}
