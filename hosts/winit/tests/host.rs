//! The test kit on winit's event loop, and what only winit can do wrong.

mod traps;

use std::any::Any;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use interloop::Reactor;
use interloop::testing::{self, Kit};
use interloop_demos::testing::close_window;
use interloop_winit::{Host, attach};
use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, ControlFlow, EventLoop, EventLoopProxy};
use winit::window::{Window, WindowId};

fn main() -> ExitCode {
    Kit::new()
        .host::<Winit>()
        .case::<Winit>("a_closed_loop_refuses_the_tick", traps::a_closed_loop_refuses_the_tick)
        .case::<Winit>(
            "frames_go_on_beside_a_busy_reactor",
            traps::frames_go_on_beside_a_busy_reactor,
        )
        .case::<Winit>("events_without_end_leave_turns", traps::events_without_end_leave_turns)
        .case::<Winit>("a_loop_runs_twice", traps::a_loop_runs_twice)
        .case::<Winit>(
            "a_panic_in_the_end_does_not_end_the_next_loop",
            traps::a_panic_in_the_end_does_not_end_the_next_loop,
        )
        .case::<Winit>(
            "two_reactors_and_a_loop_that_stays",
            traps::two_reactors_and_a_loop_that_stays,
        )
        .case::<Winit>("ticks_as_events_of_the_program", traps::ticks_as_events_of_the_program)
        .run()
}

/// Makes the event loop, where there is a display.
fn event_loop<T>() -> io::Result<EventLoop<T>> {
    if !cfg!(windows) && !is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY") {
        let message = "winit: no DISPLAY, no WAYLAND_DISPLAY; run this with xvfb-run -a";
        return Err(io::Error::new(io::ErrorKind::Unsupported, message));
    }
    EventLoop::with_user_event().build().map_err(io::Error::other)
}

fn is_set(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty())
}

const TITLE: &str = "interloop-winit: the test kit";

/// What the loop is woken with.
enum Message {
    Wake,
    Posted,
    Quit,
}

struct Winit {
    event_loop: RefCell<Option<EventLoop<Message>>>,
    proxy: EventLoopProxy<Message>,
    posted: RefCell<VecDeque<Box<dyn FnOnce()>>>,
    timers: RefCell<Vec<Timer>>,
}

struct Timer {
    due: Instant,
    period: Duration,
    callback: Box<dyn FnMut()>,
}

impl testing::Host for Winit {
    const NAME: &'static str = "winit";

    fn open() -> io::Result<Rc<Winit>> {
        let event_loop = event_loop()?;
        Ok(Rc::new(Winit {
            proxy: event_loop.create_proxy(),
            event_loop: RefCell::new(Some(event_loop)),
            posted: RefCell::default(),
            timers: RefCell::default(),
        }))
    }

    fn attach(self: &Rc<Winit>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        Ok(Box::new(attach(reactor, self.proxy.clone(), || Message::Wake)?))
    }

    fn run(&self) {
        let event_loop = self.event_loop.take().expect("the loop runs once");
        event_loop.run_app(&mut Host(App { winit: self, window: None })).expect("winit runs");
    }

    fn quit(&self) {
        self.send(Message::Quit);
    }

    fn nested(&self, _done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let message =
            "winit calls no application that is inside a callback: it has no nested loops";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        let timer = Timer { due: Instant::now() + period, period, callback };
        self.timers.borrow_mut().push(timer);
        self.send(Message::Wake);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        self.posted.borrow_mut().push_back(callback);
        self.send(Message::Posted);
    }

    fn close(&self) {
        // winit prefers Wayland, where nobody but the compositor can ask a window.
        let on_wayland = cfg!(feature = "wayland") && is_set("WAYLAND_DISPLAY");
        if cfg!(windows) || on_wayland { self.quit() } else { close_window(TITLE) }
    }

    fn destroy(&self) {
        self.event_loop.take();
    }
}

impl Winit {
    fn send(&self, message: Message) {
        // After its end the loop is not to be woken any more.
        let _closed = self.proxy.send_event(message);
    }

    fn run_timers(&self) {
        let now = Instant::now();
        let mut timers = self.timers.take();
        for timer in timers.iter_mut().filter(|timer| timer.due <= now) {
            (timer.callback)();
            timer.due = now + timer.period;
        }
        // Those that the callbacks have added stand behind.
        timers.append(&mut self.timers.borrow_mut());
        self.timers.replace(timers);
    }
}

struct App<'a> {
    winit: &'a Winit,
    /// Open as long as this is there.
    window: Option<Window>,
}

impl ApplicationHandler<Message> for App<'_> {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        let attributes = Window::default_attributes().with_title(TITLE);
        self.window = Some(event_loop.create_window(attributes).expect("a window"));
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, message: Message) {
        match message {
            Message::Wake => {}
            Message::Posted => {
                let callback = self.winit.posted.borrow_mut().pop_front();
                callback.expect("a message for each")();
            }
            Message::Quit => event_loop.exit(),
        }
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        if event == WindowEvent::CloseRequested {
            event_loop.exit();
        }
    }

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        self.winit.run_timers();
        let next = self.winit.timers.borrow().iter().map(|timer| timer.due).min();
        event_loop.set_control_flow(next.map_or(ControlFlow::Wait, ControlFlow::WaitUntil));
    }
}
