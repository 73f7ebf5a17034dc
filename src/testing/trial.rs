//! What a case has before it: an open host, a reactor, and what joins them.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::case::{Word, or_skip};
use super::child;
use super::host::Host;
use crate::{Phase, Reactor, Stats};

/// How long a case waits in the loop before it says what it waits for. When the loop itself hangs, the
/// process is killed later.
fn limit() -> Duration {
    child::limit() / 2
}

/// The period of the toolkit's own timer, as for 60 frames a second.
pub(super) const FRAME: Duration = Duration::from_micros(16_667);

/// Longer than any case: a lost tick stays lost. What would repeat it would hide the adapter's mistake.
pub(super) const NEVER: Duration = Duration::from_secs(3600);

/// A reactor that repeats a lost tick after this time.
pub(super) fn reactor(rewake_after: Duration) -> Reactor {
    Reactor::builder().rewake_after(rewake_after).build().expect("a backend opens here")
}

/// A host, and the reactor that is joined to it.
pub(super) struct Trial<H> {
    pub(super) host: Rc<H>,
    pub(super) reactor: Reactor,
    attached: RefCell<Option<Box<dyn Any>>>,
    /// Set when the case has asked the loop to end.
    quitting: Cell<bool>,
    running: Cell<bool>,
    /// What the case waits for, to be told if it does not come.
    awaited: Cell<&'static str>,
}

impl<H: Host> Trial<H> {
    /// Opens the host, then makes a reactor.
    pub(super) fn open() -> Rc<Trial<H>> {
        Trial::open_with(|| reactor(NEVER))
    }

    /// Opens the host, then takes the reactor that `reactor` makes.
    pub(super) fn open_with(reactor: impl FnOnce() -> Reactor) -> Rc<Trial<H>> {
        let host = or_skip(Word::Absent, "the host does not open", H::open());
        Rc::new(Trial {
            host,
            reactor: reactor(),
            attached: RefCell::new(None),
            quitting: Cell::new(false),
            running: Cell::new(false),
            awaited: Cell::new("the loop"),
        })
    }

    /// Joins the reactor to the loop. The trial keeps what the adapter answers.
    pub(super) fn attach(self: &Rc<Self>) {
        let attached = self.host.attach(&self.reactor);
        let attached = or_skip(Word::Inapplicable, "the adapter does not attach", attached);
        self.attached.replace(Some(attached));
        if !H::STOP_QUITS {
            let trial = Rc::downgrade(self);
            let quit = async move {
                if let Some(trial) = trial.upgrade() {
                    trial.quit_if_running();
                }
            };
            let trigger = self.reactor.on_shutdown(Phase::After, quit);
            trigger.expect("the reactor has not stopped").detach();
        }
    }

    /// A shutdown that ends outside of the loop finds none to quit.
    fn quit_if_running(&self) {
        if self.running.get() {
            self.quit();
        }
    }

    /// Ends the loop, from a callback.
    pub(super) fn quit(&self) {
        self.quitting.set(true);
        self.host.quit();
    }

    /// Tells the trial that the loop will end, by another way than `quit`.
    pub(super) fn will_end(&self) {
        self.quitting.set(true);
    }

    pub(super) fn wait_for(&self, what: &'static str) {
        self.awaited.set(what);
    }

    /// Runs the loop until it ends, which must be because the case wants it to.
    pub(super) fn run(self: &Rc<Self>) {
        let end = Instant::now() + limit();
        let trial = Rc::downgrade(self);
        let hang = move || {
            if let Some(trial) = trial.upgrade().filter(|_| Instant::now() >= end) {
                trial.hang();
            }
        };
        self.host.every(limit(), Box::new(hang));
        self.running.set(true);
        self.host.run();
        self.running.set(false);
        assert!(self.quitting.get(), "the loop ended by itself, before {}", self.awaited.get());
    }

    fn hang(&self) -> ! {
        let (awaited, reactor) = (self.awaited.get(), &self.reactor);
        let (stats, dump) = (reactor.stats(), reactor.dump());
        panic!("waited {:?} in vain for {awaited}\n{reactor:?}\n{stats:#?}\n{dump}", limit());
    }

    /// Calls `step` with each frame of the toolkit's own timer, until it answers true.
    pub(super) fn each_frame(self: &Rc<Self>, mut step: impl FnMut(&Rc<Self>) -> bool + 'static) {
        let trial = Rc::downgrade(self);
        let mut done = false;
        let frame = move || {
            if let Some(trial) = trial.upgrade().filter(|_| !done) {
                done = step(&trial);
            }
        };
        self.host.every(FRAME, Box::new(frame));
    }

    /// As `each_frame`; quits at the end, until which no tick must have been lost.
    pub(super) fn quit_when(self: &Rc<Self>, mut step: impl FnMut(&Rc<Self>) -> bool + 'static) {
        self.each_frame(move |trial| {
            let done = step(trial);
            if done {
                trial.no_tick_was_lost();
                trial.quit();
            }
            done
        });
    }

    /// Drops what the adapter answered, which finishes the reactor.
    pub(super) fn detach(&self) {
        let attached = self.attached.take();
        assert!(attached.is_some(), "nothing was attached");
        drop(attached);
        assert!(
            self.reactor.is_stopped(),
            "what attach() answered was dropped, and has not finished the reactor"
        );
    }

    /// Drops the reactor, and then what the adapter answered. Gives the host.
    pub(super) fn drop_reactor(trial: Rc<Self>) -> Rc<H> {
        let Trial { host, reactor, attached, .. } =
            Rc::into_inner(trial).expect("nobody else holds the trial");
        drop(reactor);
        drop(attached);
        host
    }

    /// Ends everything in the usual order.
    pub(super) fn end(self: Rc<Self>) {
        self.detach();
        self.host.destroy();
    }

    /// Checks that every tick that was posted came. One that is lost is repeated in time, so that without
    /// this an adapter that loses them would only be slow. At the end of a loop it may happen.
    pub(super) fn no_tick_was_lost(&self) {
        let Stats { wakes_failed: failed, wakes_repeated: repeated, .. } = self.reactor.stats();
        assert_eq!((failed, repeated), (0, 0), "ticks that failed, and that were repeated");
    }
}
