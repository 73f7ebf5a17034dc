//! The same toolkit, with an adapter that does one thing wrong.

use std::any::Any;
use std::cell::RefCell;
use std::env;
use std::io;
use std::mem;
use std::net::TcpListener;
use std::process;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use interloop::testing::Host;
use interloop::{Phase, Reactor, Tick, WakerProxy};

use crate::faults::{ABSENT, FAULT, FAULTS};
use crate::own::YourOwn;

/// The toolkit, with the fault that the environment names.
pub struct Broken {
    own: Rc<YourOwn<false>>,
    fault: String,
    proxy: RefCell<Option<WakerProxy>>,
}

impl Broken {
    fn has(&self, fault: &str) -> bool {
        assert!(FAULTS.iter().any(|known| known.name == fault), "{fault} is in no row");
        self.fault == fault
    }

    fn waker(&self) -> Box<dyn Fn(Tick) + Send + Sync> {
        let poster = self.own.app().poster();
        let count = AtomicU32::new(0);
        let every_third = move || count.fetch_add(1, Ordering::Relaxed) % 3 == 2;
        let turn = |raw| Tick::from_raw(raw).map(Tick::run);
        if self.has("the waker drops ticks") {
            Box::new(move |tick| {
                if !every_third() {
                    drop(poster.post(move || tick.run()));
                }
            })
        } else if self.has("the waker swallows ticks") {
            Box::new(move |tick| match every_third() {
                true => tick.detach(),
                false => drop(poster.post(move || tick.run())),
            })
        } else if self.has("nothing is held before the loop runs") {
            Box::new(move |tick| {
                let raw = tick.into_raw();
                drop(poster.post(move || turn(raw).unwrap_or_default()));
            })
        } else if self.has("each tick is two turns") {
            Box::new(move |tick| {
                let raw = tick.into_raw();
                drop(poster.post(move || turn(raw).and(turn(raw)).unwrap_or_default()));
            })
        } else if self.has("turns keep the loop") {
            Box::new(move |tick| {
                let raw = tick.into_raw();
                drop(poster.post(move || while turn(raw).is_some() {}));
            })
        } else if self.has("the waker runs ticks itself") {
            Box::new(Tick::run)
        } else if self.has("the waker panics when the toolkit is gone") {
            Box::new(move |tick| poster.post(move || tick.run()).expect("there is a loop"))
        } else {
            Box::new(move |tick| drop(poster.post(move || tick.run())))
        }
    }

    /// The adapter, with what it should do about the beginning and the end of the loop.
    fn interleave(&self, reactor: &Reactor) -> io::Result<()> {
        let app = self.own.app();
        let proxy = reactor.waker_proxy();
        self.proxy.replace(Some(proxy.clone()));
        let is_held = !self.has("nothing is held before the loop runs");
        if is_held {
            proxy.hold();
        }
        let interleaved = reactor.interleave(self.waker());
        if is_held && !self.has("nothing is released") {
            let start = proxy.clone();
            app.on_start(move || start.release().expect("it was held above"));
        }
        if !self.has("the waker panics when the toolkit is gone") {
            app.on_end(move || proxy.hold());
        }
        interleaved.map(drop)
    }
}

impl Host for Broken {
    const NAME: &'static str = "broken";

    fn open() -> io::Result<Rc<Broken>> {
        let fault = env::var(FAULT).unwrap_or_default();
        if fault == ABSENT {
            return Err(io::Error::new(io::ErrorKind::Unsupported, "no display"));
        }
        Ok(Rc::new(Broken { own: YourOwn::open()?, fault, proxy: RefCell::default() }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        match self.interleave(reactor) {
            Err(_) if self.has("a second attach is taken") => {}
            answer => answer?,
        }
        if self.has("a descriptor is leaked") {
            mem::forget(TcpListener::bind("127.0.0.1:0")?);
        }
        if self.has("a thread is leaked") {
            thread::Builder::new().name("interloop-leak".to_owned()).spawn(thread::park)?;
        }
        if !self.has("stop does not end the loop") {
            let app = self.own.app().downgrade();
            let quit = async move { app.upgrade().expect("the loop runs").quit() };
            reactor.on_shutdown(Phase::After, quit)?.detach();
        }
        if self.has("nothing finishes the reactor") {
            return Ok(Box::new(()));
        }
        let limit = if self.has("the finish has no time") { 0 } else { 10 };
        Ok(Box::new(reactor.finish_on_drop(Duration::from_secs(limit))))
    }

    fn run(&self) {
        if !self.has("the loop ends at once") {
            self.own.run();
        }
    }

    fn quit(&self) {
        self.own.quit();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        let proxy = self.proxy.borrow().clone().expect("the reactor is attached");
        if self.has("ticks wait for the outer loop") {
            proxy.hold();
            self.own.nested(done)?;
            return proxy.release();
        }
        self.own.nested(done)
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        self.own.every(period, callback);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        self.own.post(callback);
    }

    fn close(&self) {
        if self.has("the window ends the process") {
            process::exit(0);
        }
        self.own.close();
    }

    fn destroy(&self) {
        self.own.destroy();
    }
}
