//! The host of examples/your_own_host.rs.

use std::any::Any;
use std::cell::RefCell;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Host;

use crate::adapter;
use crate::toolkit::App;

/// With `attach`, or with the waker alone, as for a program that joins the two by itself.
pub struct YourOwn<const WAKER: bool> {
    /// None once it is destroyed.
    app: RefCell<Option<App>>,
}

impl<const WAKER: bool> YourOwn<WAKER> {
    pub fn app(&self) -> App {
        self.app.borrow().clone().expect("the application was destroyed")
    }
}

impl<const WAKER: bool> Host for YourOwn<WAKER> {
    const NAME: &'static str = if WAKER { "your_own::waker" } else { "your_own::attached" };

    const STOP_QUITS: bool = !WAKER;

    fn open() -> io::Result<Rc<Self>> {
        Ok(Rc::new(YourOwn { app: RefCell::new(Some(App::new())) }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        let app = self.app();
        if !WAKER {
            return Ok(Box::new(adapter::attach(&app, reactor)?));
        }
        let proxy = reactor.waker_proxy();
        proxy.hold();
        if let Err(error) = reactor.interleave(adapter::waker(&app)) {
            proxy.release()?;
            return Err(error);
        }
        app.on_start(move || proxy.release().expect("it was held above"));
        Ok(Box::new(reactor.finish_on_drop(Duration::from_secs(10))))
    }

    fn run(&self) {
        self.app().run();
    }

    fn quit(&self) {
        self.app().quit();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        self.app().dialog(&*done);
        Ok(())
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        self.app().every(period, callback);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        self.app().post(callback);
    }

    fn destroy(&self) {
        self.app.take();
    }
}
