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

pub struct YourOwn {
    /// None once it is destroyed.
    app: RefCell<Option<App>>,
}

impl YourOwn {
    pub fn app(&self) -> App {
        self.app.borrow().clone().expect("the application was destroyed")
    }
}

impl Host for YourOwn {
    const NAME: &'static str = "your_own";

    fn open() -> io::Result<Rc<YourOwn>> {
        Ok(Rc::new(YourOwn { app: RefCell::new(Some(App::new())) }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        Ok(Box::new(adapter::attach(&self.app(), reactor)?))
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
