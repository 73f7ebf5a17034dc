//! Qt's event loop: a QCoreApplication, as it comes.

mod closure;
mod shim;

use std::io;

use interloop::{Phase, Reactor};

use super::left_out;
use super::ours::Drive;
pub(crate) use shim::{Application, Notifier, Object, Timer};

/// Runs a reactor in the application's loop until it has stopped.
pub(crate) fn host(reactor: &Reactor, drive: Drive) -> io::Result<()> {
    run(&Application::new(), reactor, drive)
}

/// The same in an application that is there already.
pub(crate) fn run(application: &Application, reactor: &Reactor, drive: Drive) -> io::Result<()> {
    match drive {
        Drive::Embed => {
            let attached = interloop_qt::attach(reactor)?;
            if attached.drive() != interloop_qt::Drive::Embedded {
                return Err(left_out("this backend has no descriptor"));
            }
            application.exec();
        }
        Drive::Worker => {
            reactor.interleave(interloop_qt::waker())?;
            let quit = reactor.on_shutdown(Phase::After, async { Application::quit() })?;
            application.exec();
            drop(quit);
        }
        Drive::Run => return Err(left_out("run() is a loop of its own")),
    }
    Ok(())
}
