//! The host that the cases run in: a queue and a condvar, a loop that polls the embedded descriptor, or
//! the reactor's own loop.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use interloop::{BackendKind, Builder, Embedded, Handle, Reactor, Tick, WakerProxy};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

/// How long a case waits for an event before it counts as hanging. Generous: these machines are
/// shared.
pub const LIMIT: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drive {
    Interleaved,
    Embed,
    Run,
    /// As `Run`, but that a script is the future of `block_on`.
    BlockOn,
}

impl Drive {
    pub fn has_host(self) -> bool {
        matches!(self, Drive::Interleaved | Drive::Embed)
    }

    pub fn name(self) -> &'static str {
        match self {
            Drive::Interleaved => "interleaved",
            Drive::Embed => "embed",
            Drive::Run => "run",
            Drive::BlockOn => "block_on",
        }
    }
}

/// What a case runs in.
#[derive(Clone, Copy, Debug)]
pub struct World {
    pub backend: BackendKind,
    pub drive: Drive,
}

/// Who runs the turns of a case, unless it says otherwise.
pub const DRIVES: [Drive; 3] = [Drive::Interleaved, Drive::Embed, Drive::Run];

/// Each backend that opens here, or the one that `INTERLOOP_BACKEND` names, with each drive that it has. Says
/// what is skipped, and why.
pub fn everywhere() -> Vec<World> {
    let only = std::env::var("INTERLOOP_BACKEND").ok();
    let mut worlds = Vec::new();
    for backend in BackendKind::ALL {
        if only.as_ref().is_some_and(|only| only != backend.name()) {
            continue;
        }
        let reactor = match Reactor::builder().backend(backend).build() {
            Ok(reactor) => reactor,
            Err(error) => {
                println!("{backend}: skipped: {error}");
                continue;
            }
        };
        for drive in DRIVES {
            match reactor.embed() {
                Err(error) if drive == Drive::Embed => {
                    println!("{backend}, embedded: skipped: {error}");
                }
                _ => worlds.push(World { backend, drive }),
            }
        }
    }
    worlds
}

impl World {
    pub fn builder(&self) -> Builder {
        Reactor::builder().backend(self.backend)
    }

    pub fn reactor(&self) -> Reactor {
        self.builder().build().expect("the backend opened before")
    }

    /// A reactor that takes a slow machine for nothing else: no turn is cut short, no callback taken
    /// for a nested host, no tick for a lost one.
    pub fn unhurried(&self) -> Reactor {
        let builder = self.builder().turn_budget(100_000, LIMIT);
        builder.nested_grace(LIMIT).rewake_after(LIMIT).build().expect("the backend opened before")
    }

    /// The reactor's host, joined to it where the drive needs that.
    pub fn host(&self, reactor: &Reactor) -> Host {
        let host = Host::new(reactor, self.drive);
        match self.drive {
            Drive::Interleaved => drop(host.interleave(reactor)),
            Drive::Embed => host.embed(reactor),
            Drive::Run | Drive::BlockOn => {}
        }
        host
    }

    pub fn is_interleaved(&self) -> bool {
        self.drive == Drive::Interleaved
    }

    /// Whether a loop that is not the reactor's runs the turns.
    pub fn has_host(&self) -> bool {
        self.drive.has_host()
    }
}

/// The queue of a condvar host: any thread posts, the host thread takes.
#[derive(Clone, Default)]
pub struct Queue {
    inner: Arc<(Mutex<VecDeque<Tick>>, Condvar)>,
}

impl Queue {
    pub fn post(&self, tick: Tick) {
        self.inner.0.lock().unwrap().push_back(tick);
        self.inner.1.notify_all();
    }

    /// The next tick, or None at `limit`.
    pub fn take(&self, limit: Instant) -> Option<Tick> {
        let mut ticks = self.inner.0.lock().unwrap();
        loop {
            if let Some(tick) = ticks.pop_front() {
                return Some(tick);
            }
            let left = limit.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            ticks = self.inner.1.wait_timeout(ticks, left).unwrap().0;
        }
    }

    pub fn len(&self) -> usize {
        self.inner.0.lock().unwrap().len()
    }
}

/// A host loop on this thread.
#[derive(Clone)]
pub struct Host {
    pub queue: Queue,
    pub drive: Drive,
    reactor: Handle,
    done: Rc<Cell<bool>>,
    embedded: Rc<RefCell<Option<Rc<Embedded>>>>,
}

impl Host {
    pub fn new(reactor: &Handle, drive: Drive) -> Host {
        Host {
            queue: Queue::default(),
            drive,
            reactor: reactor.handle(),
            done: Rc::new(Cell::new(false)),
            embedded: Rc::default(),
        }
    }

    /// Watches the reactor's descriptor.
    pub fn embed(&self, reactor: &Handle) {
        let embedded =
            reactor.embed().expect("the backend has a descriptor, and nothing drives it");
        self.embedded.replace(Some(Rc::new(embedded.polled_by_number())));
    }

    pub fn interleave(&self, reactor: &Handle) -> WakerProxy {
        let queue = self.queue.clone();
        reactor.interleave(move |tick| queue.post(tick)).expect("nothing else drives the reactor")
    }

    /// Ends `run`, from a callback: with the reactor's own loop that stops the reactor.
    pub fn done(&self) {
        self.done.set(true);
        if !self.drive.has_host() {
            self.reactor.stop();
        }
    }

    /// Runs the host loop until a callback says `done`.
    pub fn run(&self) {
        match self.drive {
            Drive::Interleaved | Drive::Embed => self.run_until(|| self.done.get()),
            Drive::Run | Drive::BlockOn => {
                let reactor = self.reactor.clone();
                let _hang = self.reactor.after(LIMIT, move || hang(&reactor));
                self.reactor.run().expect("the reactor runs");
            }
        }
        assert!(self.done.get(), "the host loop ended before the case was done");
    }

    /// The reactor's descriptor, of a host that watches it.
    pub fn embedded(&self) -> Rc<Embedded> {
        self.embedded.borrow().clone().expect("it is embedded")
    }

    /// Ends the watch of the descriptor.
    pub fn unembed(&self) {
        self.embedded.take();
    }

    /// Runs the condvar host, on top of whatever host loop runs, until `done`.
    pub fn run_until(&self, done: impl Fn() -> bool) {
        let limit = Instant::now() + LIMIT;
        let embedded = self.embedded.borrow().clone();
        while !done() {
            let ran = match &embedded {
                Some(embedded) => wait_readable(embedded, limit) && (embedded.turn() || done()),
                None => self.queue.take(limit).map(Tick::run).is_some(),
            };
            if !ran {
                hang(&self.reactor);
            }
        }
    }
}

/// Waits for a descriptor as a host does. False at the limit.
fn wait_readable(embedded: &Embedded, limit: Instant) -> bool {
    loop {
        let left = limit.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).unwrap();
        let mut polled = [PollFd::new(embedded, PollFlags::IN)];
        match poll(&mut polled, Some(&timeout)) {
            Err(Errno::INTR) => {}
            ready => return ready.unwrap() > 0,
        }
    }
}

fn hang(reactor: &Handle) {
    panic!("hangs: {reactor:?}\n{:?}\n{}", reactor.stats(), reactor.dump());
}
