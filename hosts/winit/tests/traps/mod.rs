//! What only winit can do wrong. Each is run in a process of its own.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;
use std::thread;
use std::time::Duration;

use interloop::{Phase, Reactor, Tick};
use interloop_winit::{Drive, Host, attach, waker};
use winit::application::ApplicationHandler;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoopProxy};
use winit::platform::run_on_demand::EventLoopExtRunOnDemand;
use winit::window::{Window, WindowId};

use crate::event_loop;

/// Longer than any of it takes.
const LIMIT: Duration = Duration::from_secs(60);

/// An application without windows, which takes what comes.
struct Bare;

impl<T: 'static> ApplicationHandler<T> for Bare {
    fn resumed(&mut self, _: &ActiveEventLoop) {}

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}
}

/// The loop is gone, and nothing that was posted to it is lost.
pub fn a_closed_loop_refuses_the_tick() -> io::Result<()> {
    let event_loop = event_loop::<Tick>()?;
    let reactor = Reactor::new()?;
    reactor.interleave(waker(event_loop.create_proxy(), |tick| tick))?;
    drop(event_loop);
    let ran = Arc::new(AtomicBool::new(false));
    let (remote, call) = (reactor.remote(), Arc::clone(&ran));
    thread::spawn(move || remote.call(move || call.store(true, Ordering::Relaxed)).is_ok());
    while reactor.stats().wakes_failed < 2 {
        thread::yield_now();
    }
    assert!(reactor.finish(LIMIT)?.is_clean());
    assert!(ran.load(Ordering::Relaxed));
    Ok(())
}

/// Draws one frame after the other, as animations do.
struct Animation {
    window: Option<Window>,
    frames: u32,
}

impl ApplicationHandler for Animation {
    fn resumed(&mut self, event_loop: &ActiveEventLoop) {
        let window = event_loop.create_window(Window::default_attributes()).expect("a window");
        window.request_redraw();
        self.window = Some(window);
    }

    fn window_event(&mut self, event_loop: &ActiveEventLoop, _: WindowId, event: WindowEvent) {
        if event == WindowEvent::RedrawRequested {
            self.frames += 1;
            self.window.as_ref().expect("it is drawn").request_redraw();
        }
        if self.frames == 100 {
            event_loop.exit();
        }
    }
}

/// A turn always leaves something for the next, and the loop comes to its windows all the same.
pub fn frames_go_on_beside_a_busy_reactor() -> io::Result<()> {
    let event_loop = event_loop()?;
    let reactor = Reactor::new()?;
    let attached = attach(&reactor, event_loop.create_proxy(), || ())?;
    let polls = Rc::new(Cell::new(0_u64));
    let count = Rc::clone(&polls);
    let busy = poll_fn(move |context| {
        count.set(count.get() + 1);
        context.waker().wake_by_ref();
        Poll::<()>::Pending
    });
    reactor.spawn_local(busy).detach();
    let mut animation = Animation { window: None, frames: 0 };
    event_loop.run_app(&mut Host(&mut animation)).map_err(io::Error::other)?;
    assert!(animation.frames >= 100 && polls.get() > 0);
    drop(attached);
    Ok(())
}

/// An application that sends itself an event with each that it gets.
struct Restless {
    proxy: EventLoopProxy<()>,
    ran: Rc<Cell<bool>>,
}

impl ApplicationHandler for Restless {
    fn resumed(&mut self, _: &ActiveEventLoop) {
        self.send();
    }

    fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}

    fn user_event(&mut self, event_loop: &ActiveEventLoop, (): ()) {
        if self.ran.get() {
            event_loop.exit();
        } else {
            self.send();
        }
    }
}

impl Restless {
    fn send(&self) {
        assert!(self.proxy.send_event(()).is_ok());
    }
}

/// The loop never comes to wait, as where Windows runs one of its own: the reactor asks again, and has its
/// turn.
pub fn events_without_end_leave_turns() -> io::Result<()> {
    let event_loop = event_loop::<()>()?;
    let reactor = Reactor::builder().rewake_after(Duration::from_millis(1)).build()?;
    let attached = attach(&reactor, event_loop.create_proxy(), || ())?;
    let ran = Rc::new(Cell::new(false));
    let timer = Rc::clone(&ran);
    reactor.after(Duration::from_millis(1), move || timer.set(true)).detach();
    let proxy = event_loop.create_proxy();
    event_loop.run_app(&mut Host(Restless { proxy, ran })).map_err(io::Error::other)?;
    drop(attached);
    Ok(())
}

/// The loop ends with one reactor, and runs again with another, while what belonged to the first is there.
pub fn a_loop_runs_twice() -> io::Result<()> {
    let mut event_loop = event_loop::<()>()?;
    let mut attached = Vec::new();
    for _ in 0..2 {
        let reactor = Reactor::new()?;
        attached.push(attach(&reactor, event_loop.create_proxy(), || ())?);
        let ran = Rc::new(Cell::new(false));
        let (timer, handle) = (Rc::clone(&ran), reactor.handle());
        let stop = move || {
            timer.set(true);
            handle.stop();
        };
        reactor.after(Duration::from_millis(1), stop).detach();
        event_loop.run_app_on_demand(&mut Host(Bare)).map_err(io::Error::other)?;
        assert!(ran.get() && reactor.is_stopped());
    }
    Ok(())
}

/// A callback panics in the end of a reactor, which the guard or the loop brings about. The program catches that, and
/// runs the loop again with another reactor, to which nothing happens.
pub fn a_panic_in_the_end_does_not_end_the_next_loop() -> io::Result<()> {
    struct Exits;

    impl ApplicationHandler for Exits {
        fn resumed(&mut self, event_loop: &ActiveEventLoop) {
            event_loop.exit();
        }

        fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}
    }

    let mut event_loop = event_loop::<()>()?;
    for of_the_loop in [false, true] {
        let reactor = Reactor::new()?;
        let attached = attach(&reactor, event_loop.create_proxy(), || ())?;
        // Without the hook, which would print it.
        let panics = poll_fn(|_| -> Poll<()> { resume_unwind(Box::new("of a trigger")) });
        reactor.on_shutdown(Phase::During, panics)?.detach();
        let kept = if of_the_loop {
            let run = || event_loop.run_app_on_demand(&mut Host(Exits));
            assert!(catch_unwind(AssertUnwindSafe(run)).is_err());
            Some(attached)
        } else {
            assert!(catch_unwind(AssertUnwindSafe(|| drop(attached))).is_err());
            None
        };
        let next = Reactor::new()?;
        let attached = attach(&next, event_loop.create_proxy(), || ())?;
        let ran = Rc::new(Cell::new(false));
        let (timer, handle) = (Rc::clone(&ran), next.handle());
        let stop = move || {
            timer.set(true);
            handle.stop();
        };
        next.after(Duration::from_millis(1), stop).detach();
        event_loop.run_app_on_demand(&mut Host(Bare)).map_err(io::Error::other)?;
        assert!(ran.get(), "of the loop: {of_the_loop}");
        drop((attached, kept));
    }
    Ok(())
}

/// Two reactors on one loop; it goes on when the first has stopped, and ends with the second.
pub fn two_reactors_and_a_loop_that_stays() -> io::Result<()> {
    let event_loop = event_loop()?;
    let (first, second) = (Reactor::new()?, Reactor::new()?);
    let stays = attach(&first, event_loop.create_proxy(), || ())?.keep_running();
    let ends = attach(&second, event_loop.create_proxy(), || ())?.finish_within(LIMIT);
    assert_eq!(ends.drive(), Drive::Worker);
    let (remote, stopped) = (second.remote(), first.remote().stopped());
    second
        .spawn_local(async move {
            stopped.await;
            // Turns of the loop in which it could end.
            Reactor::current().expect("in a turn").sleep(Duration::from_millis(50)).await;
            remote.stop();
        })
        .detach();
    second.spawn_local(pending::<()>()).detach();
    first.stop();
    event_loop.run_app(&mut Host(Bare)).map_err(io::Error::other)?;
    assert!(first.is_stopped() && second.is_stopped());
    drop((stays, ends));
    Ok(())
}

/// The raw hook: the program has events of its own, keeps the tick, and runs it when the loop is about to
/// wait.
pub fn ticks_as_events_of_the_program() -> io::Result<()> {
    enum Message {
        Tick(Tick),
        Stopped,
    }

    struct Program(RefCell<Option<Tick>>);

    impl ApplicationHandler<Message> for Program {
        fn resumed(&mut self, _: &ActiveEventLoop) {}

        fn window_event(&mut self, _: &ActiveEventLoop, _: WindowId, _: WindowEvent) {}

        fn user_event(&mut self, event_loop: &ActiveEventLoop, message: Message) {
            match message {
                Message::Tick(tick) => drop(self.0.replace(Some(tick))),
                Message::Stopped => event_loop.exit(),
            }
        }

        fn about_to_wait(&mut self, _: &ActiveEventLoop) {
            if let Some(tick) = self.0.take() {
                tick.run();
            }
        }
    }

    let event_loop = event_loop()?;
    let reactor = Reactor::new()?;
    let _finish = reactor.finish_on_drop(LIMIT);
    let proxy = event_loop.create_proxy();
    reactor.interleave(waker(event_loop.create_proxy(), Message::Tick))?;
    let exit = move || assert!(proxy.send_event(Message::Stopped).is_ok());
    reactor.after(Duration::from_millis(1), exit).detach();
    event_loop.run_app(&mut Program(RefCell::new(None))).map_err(io::Error::other)
}
