//! hyper on interloop in Qt's event loop. QtCore has no server to stand beside it.

use std::io;

use super::frames::PERIOD;
use super::{Frames, Load, figures, ours};
use crate::compare::Figure;
use crate::systems::ours::Drive;
use crate::systems::qt::{Application, Timer, run};

pub(super) fn worker(load: Load) -> io::Result<Vec<Figure>> {
    interloop(load, Drive::Worker)
}

pub(super) fn embedded(load: Load) -> io::Result<Vec<Figure>> {
    interloop(load, Drive::Embed)
}

fn interloop(load: Load, drive: Drive) -> io::Result<Vec<Figure>> {
    let application = Application::new();
    let (reactor, client) = ours::start(load)?;
    let frames = Frames::new();
    let timer = Timer::every(&application, PERIOD, || frames.frame());
    // The client stops the reactor, and that quits the application.
    run(&application, &reactor, drive)?;
    drop(timer);
    Ok(figures(&client.outcome()?, Some(&frames)))
}
