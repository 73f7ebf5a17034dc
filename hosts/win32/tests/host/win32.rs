//! The face that the kit asks for.

use std::any::Any;
use std::io;
use std::marker::PhantomData;
use std::rc::Rc;
use std::time::Duration;

use interloop::Reactor;
use interloop::testing::Host;

use crate::gui::Gui;
use crate::pump::{self, Pump};
use crate::{modal, windows};

/// A program with this loop.
pub struct Win32<P> {
    pub gui: Rc<Gui>,
    _pump: PhantomData<P>,
}

impl<P: Pump> Host for Win32<P> {
    const NAME: &'static str = P::NAME;

    fn open() -> io::Result<Rc<Self>> {
        P::prepare();
        Ok(Rc::new(Win32 { gui: Gui::open()?, _pump: PhantomData }))
    }

    fn attach(self: &Rc<Self>, reactor: &Reactor) -> io::Result<Box<dyn Any>> {
        Ok(Box::new(interloop_win32::attach(reactor)?))
    }

    fn run(&self) {
        P::run_until(&|| false);
    }

    fn quit(&self) {
        pump::quit();
    }

    fn nested(&self, done: Rc<dyn Fn() -> bool>) -> io::Result<()> {
        modal::dialog(&self.gui, done)
    }

    fn every(&self, period: Duration, callback: Box<dyn FnMut()>) {
        self.gui.every(period, callback);
    }

    fn post(&self, callback: Box<dyn FnOnce()>) {
        self.gui.post(callback);
    }

    fn close(&self) {
        self.gui.close();
    }

    fn destroy(&self) {
        windows::ours().into_iter().for_each(windows::destroy);
        self.gui.destroy();
    }
}
