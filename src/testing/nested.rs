//! Claim 2: a callback that opens a loop of the toolkit's, as one that shows a modal dialog does.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::Write;
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use super::case::{Word, or_skip};
use super::host::Host;
use super::traffic::{Traffic, pair};
use super::trial::Trial;
use crate::{Action, Handle, Interest};

/// How many other connections there are, and how many messages of theirs the nested loop waits for.
const CONNECTIONS: usize = 3;
const MESSAGES: u64 = 200;
/// How many frames of the toolkit's own timer it waits for.
const FRAMES: u32 = 3;
/// How many things of each kind wait behind the callback.
const EACH: u32 = 4;

/// The kinds of callback.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Kind {
    Event,
    Timer,
    Call,
    Task,
}

const KINDS: [Kind; 4] = [Kind::Event, Kind::Timer, Kind::Call, Kind::Task];

pub(super) fn cases<H: Host>() -> Vec<(&'static str, fn())> {
    vec![
        ("nested::in_an_event", || nested::<H>(Kind::Event)),
        ("nested::in_a_timer", || nested::<H>(Kind::Timer)),
        ("nested::in_a_call", || nested::<H>(Kind::Call)),
        ("nested::in_a_task", || nested::<H>(Kind::Task)),
    ]
}

fn nested<H: Host>(kind: Kind) {
    let trial = Trial::<H>::open();
    trial.attach();
    let scene = Rc::new(Scene {
        trial: Rc::clone(&trial),
        kind,
        traffic: Traffic::start(&trial.reactor, CONNECTIONS),
        frames: Cell::new(0),
        ran: Cell::new(0),
        inside: Cell::new(false),
        entries: Cell::new(0),
    });
    trial.wait_for("the callback that opens the loop");
    // From a callback of the toolkit, so that the reactor finds all of it in one turn.
    let set_up = Rc::clone(&scene);
    trial.host.post(Box::new(move || set_up.set_up()));
    let weak = Rc::downgrade(&scene);
    trial.quit_when(move |_| weak.upgrade().is_some_and(|scene| scene.frame()));
    trial.run();
    drop(scene);
    trial.end();
}

/// A callback that opens a loop, and what has to go on inside it.
struct Scene<H: Host> {
    trial: Rc<Trial<H>>,
    /// Which kind of callback opens the loop.
    kind: Kind,
    traffic: Traffic,
    frames: Cell<u32>,
    /// How many of the things behind the callback have run.
    ran: Cell<u32>,
    /// True while that callback is on the stack.
    inside: Cell<bool>,
    /// How often it was called.
    entries: Cell<u32>,
}

impl<H: Host> Scene<H> {
    fn set_up(self: &Rc<Self>) {
        self.add_opener();
        for kind in KINDS {
            for _ in 0..EACH {
                let scene = Rc::clone(self);
                run_as(kind, &self.trial.reactor, move || scene.ran.set(scene.ran.get() + 1));
            }
        }
    }

    /// Has `enter` called, again and again where the kind of callback can.
    fn add_opener(self: &Rc<Self>) {
        let (scene, reactor) = (Rc::clone(self), &self.trial.reactor);
        match self.kind {
            Kind::Event => {
                let (near, mut far) = pair();
                far.write_all(b"0").expect("the socket has room");
                let opener = reactor.register(near, Interest::READABLE, move |_, _| {
                    // It is ready all the while, and hears of it when it has returned.
                    far.write_all(b"1").expect("the socket has room");
                    if scene.enter() { Action::Rearm } else { Action::Remove }
                });
                opener.expect("a stream can be registered").detach();
            }
            Kind::Timer => {
                let enter = move || match scene.enter() {
                    true => ControlFlow::Continue(()),
                    false => ControlFlow::Break(()),
                };
                reactor.every(Duration::ZERO, enter).detach();
            }
            Kind::Call => run_as(Kind::Call, reactor, move || {
                scene.enter();
            }),
            Kind::Task => {
                let opener = poll_fn(move |context| {
                    context.waker().wake_by_ref();
                    if scene.enter() { Poll::Pending } else { Poll::Ready(()) }
                });
                reactor.spawn_local(opener).detach();
            }
        }
    }

    /// The callback; the first time it opens the loop. False when it need not be called again.
    fn enter(self: &Rc<Self>) -> bool {
        assert!(!self.inside.replace(true), "a callback was entered again, inside itself");
        self.entries.set(self.entries.get() + 1);
        if self.entries.get() == 1 {
            self.trial.wait_for("what should go on inside the nested loop");
            let (messages, frames) =
                (self.traffic.received() + MESSAGES, self.frames.get() + FRAMES);
            let scene = Rc::downgrade(self);
            let done = move || {
                scene.upgrade().is_none_or(|scene| {
                    scene.traffic.received() >= messages
                        && scene.frames.get() >= frames
                        && scene.ran.get() == EACH * KINDS.len() as u32
                })
            };
            let nested = self.trial.host.nested(Rc::new(done));
            or_skip(Word::Inapplicable, "the toolkit opens no nested loop", nested);
            self.trial.wait_for("the callback that opened the loop, once more");
        }
        self.inside.set(false);
        self.entries.get() < self.calls_expected()
    }

    fn calls_expected(&self) -> u32 {
        if self.kind == Kind::Call { 1 } else { 2 }
    }

    /// A frame of the toolkit's own timer; true when all is done.
    fn frame(&self) -> bool {
        self.frames.set(self.frames.get() + 1);
        if self.inside.get() || self.entries.get() < self.calls_expected() {
            return false;
        }
        self.traffic.stop();
        self.traffic.is_drained()
    }
}

type Body = Box<dyn FnOnce()>;

thread_local! {
    /// What calls run, which is not `Send`.
    static BODIES: RefCell<Vec<Option<Body>>> = const { RefCell::new(Vec::new()) };
}

/// Has `body` run once, in a callback of this kind.
fn run_as(kind: Kind, reactor: &Handle, body: impl FnOnce() + 'static) {
    match kind {
        Kind::Event => {
            let (near, mut far) = pair();
            far.write_all(b"0").expect("the socket has room");
            let mut body = Some(body);
            let source = reactor.register(near, Interest::READABLE, move |_, _| {
                body.take().expect("it is removed")();
                Action::Remove
            });
            source.expect("a stream can be registered").detach();
        }
        // Due already.
        Kind::Timer => reactor.at(Instant::now(), body).detach(),
        Kind::Call => {
            let number = BODIES.with_borrow_mut(|bodies| {
                bodies.push(Some(Box::new(body)));
                bodies.len() - 1
            });
            let take = move || BODIES.with_borrow_mut(|bodies| bodies[number].take());
            let call = move || take().expect("it runs once")();
            reactor.remote().call(call).expect("the reactor lives");
        }
        Kind::Task => reactor.spawn_local(async move { body() }).detach(),
    }
}
