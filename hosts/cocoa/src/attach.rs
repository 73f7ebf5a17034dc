//! Joining a reactor to a run loop.

use std::io;
use std::sync::Arc;

use interloop::{Handle, Phase};

use crate::attached::{Attached, Drive, Joint};
use crate::modes::Modes;
use crate::run_loop::{self, Source, Watch};
use crate::slot::Slot;

/// Joins a reactor to the run loop of this thread: what [`Attach::new`] has, as it comes.
///
/// # Errors
///
/// As [`Attach::to`].
pub fn attach(reactor: &Handle) -> io::Result<Attached> {
    Attach::new().to(reactor)
}

/// How a reactor is joined to a run loop, for those who have a say in it.
///
/// ```
/// use interloop_cocoa::{Attach, Drive};
///
/// let reactor = interloop::Reactor::new()?;
/// let attached = Attach::new().drive(Drive::Worker).to(&reactor)?;
/// assert_eq!(attached.drive(), Drive::Worker);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Debug, Default)]
#[must_use = "it joins nothing before `to`"]
pub struct Attach {
    modes: Modes,
    drive: Option<Drive>,
}

impl Attach {
    /// In the common modes, and by the drive that serves best.
    pub fn new() -> Attach {
        Attach::default()
    }

    /// In these modes.
    pub fn modes(mut self, modes: Modes) -> Attach {
        self.modes = modes;
        self
    }

    /// By this drive and no other. Otherwise it is [`Drive::Worker`] in a `CFRunLoop`. In GNUstep's
    /// `NSRunLoop`, it is [`Drive::Embedded`] where the backend has a descriptor.
    pub fn drive(mut self, drive: Drive) -> Attach {
        self.drive = Some(drive);
        self
    }

    /// Joins the reactor to the run loop of this thread, which runs already or will.
    ///
    /// What was posted before the loop runs is delivered when it does.
    ///
    /// # Errors
    ///
    /// `Unsupported` when the drive was asked for and is not to be had; `AlreadyExists` when something
    /// drives the reactor already; `NotConnected` when it has stopped; `InvalidInput` when a mode's name
    /// has a zero in it; what the operating system said when it refused a thread or a descriptor.
    pub fn to(self, reactor: &Handle) -> io::Result<Attached> {
        let slot = Arc::<Slot>::default();
        let ending = Arc::clone(&slot);
        let quit = async move {
            ending.end();
            run_loop::quit_application();
        };
        let quit = reactor.on_shutdown(Phase::After, quit)?.label("stop the run loop");
        let joint = self.join(&slot, reactor)?;
        Ok(Attached::new(reactor, joint, quit))
    }

    fn join(&self, slot: &Arc<Slot>, reactor: &Handle) -> io::Result<Joint> {
        let embed = || Watch::add(&self.modes, slot, reactor).map(Joint::Watch);
        match self.drive {
            Some(Drive::Embedded) => return embed(),
            None if run_loop::EMBEDS_BY_ITSELF => match embed() {
                Err(error) if error.kind() == io::ErrorKind::Unsupported => {}
                joint => return joint,
            },
            _ => {}
        }
        let source = Arc::new(Source::add(&self.modes, slot)?);
        let signalled = Arc::clone(&source);
        let slot = Arc::clone(slot);
        reactor.interleave(move |tick| slot.post(tick, || signalled.signal()))?;
        Ok(Joint::Source(source))
    }
}
