//! Where the tests of this package run: on every backend that opens here, in a host loop and in the
//! reactor's own. Each test drives one crate that others wrote.

mod certificates;

use std::future::Future;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, ThreadId};
use std::time::Duration;

pub use certificates::Authority;
use interloop::{BackendKind, Handle, Reactor, Tick};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;

/// How long a test waits for an event before it counts as hanging. Generous: machines are shared.
pub const LIMIT: Duration = Duration::from_secs(120);

/// Who runs the turns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Drive {
    /// A host loop, which is a queue of ticks.
    Interleaved,
    /// A host loop that watches the reactor's descriptor.
    Embed,
    /// The reactor's own loop.
    Run,
}

/// One backend, and one way to drive it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct World {
    /// The backend.
    pub backend: BackendKind,
    /// The drive.
    pub drive: Drive,
}

/// Every backend that opens here, on both drives. With `INTERLOOP_BACKEND` set, only that backend.
pub fn worlds() -> Vec<World> {
    let only = std::env::var("INTERLOOP_BACKEND").ok();
    let mut worlds = Vec::new();
    for backend in BackendKind::ALL {
        if only.as_ref().is_some_and(|only| only != backend.name()) {
            continue;
        }
        match Reactor::builder().backend(backend).build() {
            Ok(reactor) => {
                let embed = reactor.embed().is_ok().then_some(Drive::Embed);
                let drives = [Drive::Interleaved, Drive::Run].into_iter().chain(embed);
                worlds.extend(drives.map(|drive| World { backend, drive }));
            }
            Err(error) => println!("{backend}: skipped: {error}"),
        }
    }
    assert!(!worlds.is_empty(), "no backend opens here");
    worlds
}

/// Runs a test in every world: the future is a task of a reactor of its own, whose host loop runs
/// until the future has ended.
pub fn everywhere<F: Future<Output = ()> + 'static>(test: impl Fn(Handle) -> F) {
    for world in worlds() {
        println!("{world:?}");
        world.run(&test);
    }
}

impl World {
    /// Runs a test in this world.
    pub fn run<F: Future<Output = ()> + 'static>(self, test: impl FnOnce(Handle) -> F) {
        let reactor = Reactor::builder().backend(self.backend).build().unwrap();
        let (queue, ticks) = mpsc::channel::<Tick>();
        if self.drive == Drive::Interleaved {
            reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
        }
        let (handle, test) = (reactor.handle(), test(reactor.handle()));
        let task = reactor.spawn_local(async move {
            test.await;
            handle.stop();
        });
        task.detach();
        match self.drive {
            Drive::Run => {
                let handle = reactor.handle();
                let _hang = reactor.after(LIMIT, move || hang(&handle));
                reactor.run().unwrap();
            }
            Drive::Embed => {
                let handle = reactor.handle();
                let _hang = reactor.after(LIMIT, move || hang(&handle));
                let embedded = reactor.embed().unwrap();
                loop {
                    match poll(&mut [PollFd::new(&embedded, PollFlags::IN)], None) {
                        Err(Errno::INTR) => {}
                        ready => assert_eq!(ready, Ok(1)),
                    }
                    if !embedded.turn() {
                        break;
                    }
                }
            }
            // The reactor drops the queue's sender when it has stopped.
            Drive::Interleaved => loop {
                match ticks.recv_timeout(LIMIT) {
                    Ok(tick) => tick.run(),
                    Err(RecvTimeoutError::Disconnected) => break,
                    Err(RecvTimeoutError::Timeout) => hang(&reactor),
                }
            },
        }
        assert!(reactor.is_stopped());
    }
}

fn hang(reactor: &Handle) {
    panic!("hangs: {reactor:?}\n{:?}\n{}", reactor.stats(), reactor.dump());
}

/// The thread that a test runs on.
#[derive(Clone, Copy, Debug)]
pub struct Home(ThreadId);

impl Home {
    /// This thread.
    pub fn here() -> Home {
        Home(thread::current().id())
    }

    /// Fails on any other thread.
    #[track_caller]
    pub fn check(self) {
        assert_eq!(thread::current().id(), self.0, "on the host thread");
    }
}
