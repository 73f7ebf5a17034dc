//! Qt's QSocketNotifier and QTimer.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use super::callbacks::{LATER, pairs};
use super::heap::{Grown, grown};
use crate::systems::qt::{Application, Notifier, Timer};

pub(super) fn sources(count: usize) -> io::Result<Grown> {
    let application = Application::new();
    let (streams, _peers) = pairs(count)?;
    let ready = Rc::new(Cell::new(0_usize));
    grown(count, |index| {
        let ready = Rc::clone(&ready);
        let stream = &streams[index];
        Ok(Notifier::new(&application, stream, move || {
            let _stream = stream;
            ready.set(ready.get() + 1);
        }))
    })
}

pub(super) fn timers(count: usize) -> io::Result<Grown> {
    let application = Application::new();
    let fired = Rc::new(Cell::new(0_usize));
    grown(count, |_| {
        let fired = Rc::clone(&fired);
        Ok(Timer::once(&application, LATER, move || fired.set(fired.get() + 1)))
    })
}
