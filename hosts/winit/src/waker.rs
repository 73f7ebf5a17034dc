//! The raw hook.

use interloop::Tick;
use winit::event_loop::EventLoopProxy;

/// The closure that [`interleave`](interloop::Handle::interleave) asks for: it makes an event of the tick and
/// sends it to the loop. The application runs the tick where the event arrives.
///
/// ```no_run
/// use interloop::{Reactor, Tick};
/// use winit::event_loop::EventLoop;
///
/// enum Message {
///     Tick(Tick),
///     Saved,
/// }
///
/// let event_loop = EventLoop::<Message>::with_user_event().build()?;
/// let reactor = Reactor::new()?;
/// reactor.interleave(interloop_winit::waker(event_loop.create_proxy(), Message::Tick))?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// To a loop that is gone the proxy refuses to send, which drops the tick: the reactor keeps what the tick
/// announced, and tries again until it is finished.
///
/// Best keep the tick when it arrives, and run it in
/// [`about_to_wait`](winit::application::ApplicationHandler::about_to_wait). Under X11 and on macOS winit
/// hands out user events until there are none, those that were sent meanwhile too, before it draws or
/// reads input: a reactor that is busy would keep it there. [`Host`](crate::Host) knows this.
pub fn waker<T: Send + 'static>(
    proxy: EventLoopProxy<T>,
    event: impl Fn(Tick) -> T + Send + Sync + 'static,
) -> impl Fn(Tick) + Send + Sync + 'static {
    move |tick| {
        // What a closed loop hands back is dropped, and the tick in it.
        let _closed = proxy.send_event(event(tick));
    }
}
