//! calloop: a loop in Rust, which compositors use, and winit under Wayland.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io;
use std::process::ExitCode;
use std::rc::{Rc, Weak};
use std::time::Duration;

use calloop::generic::Generic;
use calloop::ping;
use calloop::timer::{TimeoutAction, Timer};
use calloop::{
    EventLoop, EventSource, LoopHandle, LoopSignal, Mode, PostAction, RegistrationToken,
};
use interloop::testing::{Host, Kit};
use interloop::{FinishGuard, Phase, Reactor};

fn main() -> ExitCode {
    Kit::new().host::<Calloop<false>>().host::<Calloop<true>>().run()
}

struct Calloop<const EMBEDDED: bool> {
    /// None once it is destroyed.
    event_loop: RefCell<Option<EventLoop<'static, ()>>>,
    handle: RefCell<Option<LoopHandle<'static, ()>>>,
    signal: LoopSignal,
    quit: Cell<bool>,
}

/// What joins a reactor to a loop. When the loop is gone, so is its source.
struct Attached<const EMBEDDED: bool> {
    finish: Option<FinishGuard>,
    source: RegistrationToken,
    host: Weak<Calloop<EMBEDDED>>,
}

impl<const EMBEDDED: bool> Drop for Attached<EMBEDDED> {
    fn drop(&mut self) {
        self.finish.take();
        let host = self.host.upgrade();
        if let Some(handle) = host.and_then(|host| host.handle.borrow().clone()) {
            handle.remove(self.source);
        }
    }
}

impl<const EMBEDDED: bool> Calloop<EMBEDDED> {
    fn handle(&self) -> LoopHandle<'static, ()> {
        self.handle.borrow().clone().expect("the loop was destroyed")
    }

    fn insert<S: EventSource + 'static>(
        &self,
        source: S,
        callback: impl FnMut(S::Event, &mut S::Metadata, &mut ()) -> S::Ret + 'static,
    ) -> io::Result<RegistrationToken> {
        let inserted = self.handle().insert_source(source, callback);
        inserted.map_err(|error| io::Error::other(error.error))
    }

    /// A tick is a ping. A `channel` could carry it, but a dispatch takes all that comes through one, up to a
    /// thousand: under load, every turn would bring the next, and timers would wait for all of them.
    fn interleave(&self, reactor: &Reactor) -> io::Result<RegistrationToken> {
        let (ping, pinged) = ping::make_ping()?;
        reactor.interleave(move |tick| {
            tick.detach();
            ping.ping();
        })?;
        let reactor = reactor.handle();
        self.insert(pinged, move |(), &mut (), ()| reactor.turn())
    }

    /// The loop watches the reactor's descriptor.
    fn embed(&self, reactor: &Reactor) -> io::Result<RegistrationToken> {
        let descriptor = Generic::new(reactor.embed()?, calloop::Interest::READ, Mode::Level);
        self.insert(descriptor, |_, embedded, ()| {
            Ok(if embedded.turn() { PostAction::Continue } else { PostAction::Remove })
        })
    }
}

impl<const EMBEDDED: bool> Host for Calloop<EMBEDDED> {
    const NAME: &'static str = if EMBEDDED { "calloop::embedded" } else { "calloop::worker" };

    fn open() -> io::Result<Rc<Self>> {
        let event_loop = EventLoop::try_new().map_err(io::Error::other)?;
        Ok(Rc::new(Calloop {
            handle: RefCell::new(Some(event_loop.handle())),
            signal: event_loop.get_signal(),
            event_loop: RefCell::new(Some(event_loop)),
            quit: Cell::new(false),
        }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let source = if EMBEDDED { self.embed(reactor) } else { self.interleave(reactor) }?;
        let host = Rc::downgrade(self);
        let quit = async move {
            if let Some(host) = host.upgrade() {
                host.quit();
            }
        };
        reactor.on_shutdown(Phase::After, quit)?.detach();
        let finish = Some(reactor.finish_on_drop(Duration::from_secs(10)));
        Ok(Box::new(Attached { finish, source, host: Rc::downgrade(self) }))
    }

    fn run(&self) {
        let mut event_loop = self.event_loop.take().expect("the loop was destroyed");
        while !self.quit.get() {
            event_loop.dispatch(None, &mut ()).expect("the loop runs");
        }
        self.event_loop.replace(Some(event_loop));
    }

    fn quit(&self) {
        self.quit.set(true);
        self.signal.wakeup();
    }

    fn nested(&self, _done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let message = "a calloop cannot be dispatched inside a callback of its own";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    fn every(&self, period: Duration, mut callback: Box<dyn FnMut()>) {
        let timer = self.insert(Timer::from_duration(period), move |_, (), ()| {
            callback();
            TimeoutAction::ToDuration(period)
        });
        timer.expect("a timer can be inserted");
    }

    /// Not `insert_idle`, which runs when something else has happened.
    fn post(&self, callback: Box<dyn FnOnce()>) {
        let mut callback = Some(callback);
        let timer = self.insert(Timer::immediate(), move |_, (), ()| {
            callback.take().expect("it fires once")();
            TimeoutAction::Drop
        });
        timer.expect("a timer can be inserted");
    }

    fn destroy(&self) {
        self.handle.take();
        self.event_loop.take();
    }
}
