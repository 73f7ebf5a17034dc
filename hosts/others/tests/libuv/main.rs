//! libuv: Node's loop, in C.

mod sys;
mod uv;

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::AsFd;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use interloop::testing::{Host, Kit};
use interloop::{FinishGuard, Phase, Reactor, Tick, WakerProxy};
// Links what build.rs has found.
use interloop_hosts_others as _;

fn main() -> ExitCode {
    Kit::new().host::<Libuv<false>>().host::<Libuv<true>>().run()
}

struct Libuv<const EMBEDDED: bool> {
    uv: uv::Loop,
    quit: Cell<bool>,
    /// Those of the reactors that post to an async handle.
    proxies: RefCell<Vec<WakerProxy>>,
}

/// What joins a reactor to a loop.
struct Attached {
    finish: Option<FinishGuard>,
    handle: Rc<uv::Handle>,
}

impl Drop for Attached {
    fn drop(&mut self) {
        // The reactor calls its waker no more, before the handle goes that this posts to.
        self.finish.take();
        self.handle.close();
    }
}

impl<const EMBEDDED: bool> Libuv<EMBEDDED> {
    /// A tick is an `uv_async_send`, which carries nothing, and of which many are one.
    fn interleave(&self, reactor: &Reactor) -> io::Result<Rc<uv::Handle>> {
        let turning = reactor.handle();
        let handle = self.uv.add_async(move |_| turning.turn())?;
        let sender = handle.sender();
        let post = move |tick: Tick| match sender.send() {
            Ok(()) => tick.detach(),
            Err(_) => drop(tick),
        };
        let proxy = reactor.interleave(post).inspect_err(|_| handle.close())?;
        self.proxies.borrow_mut().push(proxy);
        Ok(handle)
    }

    /// The loop watches the reactor's descriptor.
    fn embed(&self, reactor: &Reactor) -> io::Result<Rc<uv::Handle>> {
        let embedded = Rc::new(reactor.embed()?);
        let turning = Rc::clone(&embedded);
        self.uv.add_poll(embedded.as_fd(), move |handle| {
            if !turning.turn() {
                handle.stop_poll();
            }
        })
    }
}

impl<const EMBEDDED: bool> Host for Libuv<EMBEDDED> {
    const NAME: &'static str = if EMBEDDED { "libuv::embedded" } else { "libuv::worker" };

    fn open() -> io::Result<Rc<Self>> {
        let uv = uv::Loop::new()?;
        Ok(Rc::new(Libuv { uv, quit: Cell::new(false), proxies: RefCell::default() }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let handle = if EMBEDDED { self.embed(reactor) } else { self.interleave(reactor) }?;
        let host = Rc::downgrade(self);
        let quit = async move {
            if let Some(host) = host.upgrade() {
                host.quit();
            }
        };
        reactor.on_shutdown(Phase::After, quit)?.detach();
        let finish = Some(reactor.finish_on_drop(Duration::from_secs(10)));
        Ok(Box::new(Attached { finish, handle }))
    }

    fn run(&self) {
        while !self.quit.get() {
            self.uv.run();
        }
    }

    fn quit(&self) {
        self.quit.set(true);
        self.uv.stop();
    }

    fn nested(&self, _done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let message = "uv_run() must not be called from a callback";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        let callback = RefCell::new(callback);
        let timer = self.uv.add_timer(period, period, move |_| (callback.borrow_mut())());
        timer.expect("libuv has timers");
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        let callback = Cell::new(Some(callback));
        let call = move |timer: &uv::Handle| {
            timer.close();
            callback.take().expect("it fires once")();
        };
        self.uv.add_timer(Duration::ZERO, Duration::ZERO, call).expect("libuv has timers");
    }

    /// libuv tells nobody that a loop is closed: it has to be told here.
    fn destroy(&self) {
        for proxy in self.proxies.take() {
            // On return the waker does not run, and will not again. A reactor that has stopped has none.
            let _stopped = proxy.swap(drop);
        }
        self.uv.destroy();
    }
}
