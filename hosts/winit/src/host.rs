//! The application, with guests.

use winit::application::ApplicationHandler;
use winit::event::{DeviceEvent, DeviceId, StartCause, WindowEvent};
use winit::event_loop::ActiveEventLoop;
use winit::window::WindowId;

use crate::guests::{self, Guest};

/// An application whose loop drives the reactors that are [attached](crate::attach) on its thread.
///
/// It passes everything on to the application, and is given to whatever runs that:
/// `event_loop.run_app(&mut Host(app))`, `run_app_on_demand`, `pump_app_events`. `Host(&mut app)` borrows it.
///
/// Turns run when winit has handed out the input and the frames that were due, once in each pass of the loop.
/// A reactor that always has more to do slows the window down, and does not stop it. While Windows has a loop of
/// its own, as when a window is moved or resized, winit makes no such pass: turns run only when the reactor
/// asks again, after [`rewake_after`](interloop::Builder::rewake_after).
///
/// winit calls no application that is inside one of its callbacks, so that it has no nested loops. What
/// blocks in there, as a modal dialog of another library, blocks the reactor too.
#[derive(Clone, Copy, Debug, Default)]
pub struct Host<A>(pub A);

impl<T: 'static, A: ApplicationHandler<T>> ApplicationHandler<T> for Host<A> {
    fn new_events(&mut self, event_loop: &ActiveEventLoop, cause: StartCause) {
        self.0.new_events(event_loop, cause);
    }

    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        self.0.resumed(event_loop);
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, event: T) {
        // Turns are left to `about_to_wait`, for the next event would be handed out before anything is drawn.
        // Where that does not come for long, the reactor has sent another event.
        guests::for_each(Guest::turn_if_overdue);
        self.0.user_event(event_loop, event);
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, id: WindowId, event: WindowEvent) {
        self.0.window_event(event_loop, id, event);
    }

    fn device_event(&mut self, event_loop: &ActiveEventLoop, id: DeviceId, event: DeviceEvent) {
        self.0.device_event(event_loop, id, event);
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        // What a turn asks of the application is seen in its own `about_to_wait`.
        guests::for_each(|guest| {
            guest.turn();
            if guest.exit.get() {
                event_loop.exit();
            }
        });
        self.0.about_to_wait(event_loop);
    }

    fn suspended(&mut self, event_loop: &ActiveEventLoop) {
        self.0.suspended(event_loop);
    }

    fn exiting(&mut self, event_loop: &ActiveEventLoop) {
        guests::for_each(Guest::finish);
        self.0.exiting(event_loop);
    }

    fn memory_warning(&mut self, event_loop: &ActiveEventLoop) {
        self.0.memory_warning(event_loop);
    }
}
