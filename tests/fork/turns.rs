//! Callbacks that fork, and children that return from them.

use std::cell::Cell;
use std::future::Future;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use interloop::backends::Event;
use interloop::{Action, BackendKind, Interest, Phase, Poller, Reactor, Source, Tick};

use super::forwarding::{Between, Forwarding};
use super::{LIMIT, Parent, exit, fork, in_child, on_each_backend, refused, wait};

#[test]
fn a_child_of_a_callback_runs_nothing_else() {
    on_each_backend(child_of_a_callback);
}

fn child_of_a_callback(backend: BackendKind) {
    let parent = Parent::new(backend);
    let forked = Rc::new(Cell::new(false));
    let (set, handle) = (Rc::clone(&forked), parent.reactor.handle());
    let timer = parent.reactor.after(Duration::from_millis(1), move || {
        in_child(|| {
            let turns = handle.stats().turns;
            handle.turn();
            assert_eq!(handle.stats().turns, turns);
            assert_eq!(handle.finish(LIMIT).unwrap_err().kind(), io::ErrorKind::Unsupported);
            refused(&handle.remote());
        });
        set.set(true);
    });
    parent.run_until(|| forked.get());
    drop(timer);
    parent.finish();
}

#[test]
fn a_child_that_returns_into_the_turn_runs_nothing_behind_its_callback() {
    on_each_backend(child_returns_into_the_turn);
}

fn child_returns_into_the_turn(backend: BackendKind) {
    let parent = Parent::new(backend);
    let forked = Rc::new(Cell::new(None));
    // Counted and read on this thread; an atomic, because a call carries it.
    let others = Arc::new(AtomicU32::new(0));
    let count = || {
        let others = Arc::clone(&others);
        move || _ = others.fetch_add(1, Ordering::Relaxed)
    };
    // Due in the same turn, in this order: two timers, a call, and a task.
    let due = Instant::now();
    let set = Rc::clone(&forked);
    let forks = parent.reactor.at(due, move || set.set(Some(fork())));
    let other = parent.reactor.at(due, count());
    parent.reactor.remote().call(count()).unwrap();
    let count = count();
    let task = parent.reactor.spawn_local(async move { count() });
    parent.run_until(|| forked.get().is_some());
    let ran = || others.load(Ordering::Relaxed);
    if forked.get() == Some(0) {
        exit(|| assert_eq!(ran(), 0, "what comes behind it has run"));
    }
    wait(forked.get().expect("it has forked"));
    parent.run_until(|| ran() == 3);
    drop((forks, other, task));
    parent.finish();
}

type Script = Pin<Box<dyn Future<Output = ()>>>;

/// Runs a script to its end in a loop of the reactor's own.
type Drive = fn(&Reactor, Script) -> io::Result<()>;

const OWN_LOOPS: [Drive; 3] = [
    |reactor, script| {
        let stop = reactor.handle();
        let task = reactor.spawn_local(async move {
            script.await;
            stop.stop();
        });
        task.detach();
        reactor.run()
    },
    |reactor, script| reactor.block_on(script),
    |reactor, script| {
        reactor.on_shutdown(Phase::Before, script)?.detach();
        reactor.finish(LIMIT).map(|finished| assert!(finished.is_clean(), "{finished}"))
    },
];

#[test]
fn a_child_of_a_callback_leaves_a_loop_of_the_reactors_own_and_takes_no_event() {
    on_each_backend(|backend| {
        OWN_LOOPS.iter().for_each(|drive| child_leaves_a_loop(backend, *drive))
    });
}

fn child_leaves_a_loop(backend: BackendKind, drive: Drive) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    // Waited for once: a child that polled the set that it shares would take it.
    let (near, awaited) = UnixStream::pair().unwrap();
    let near = reactor.source(near).unwrap();
    let script = async move {
        near.ready(Interest::READABLE).await.unwrap();
    };
    let (near, peer) = UnixStream::pair().unwrap();
    let is_child = Rc::new(Cell::new(false));
    let set = Rc::clone(&is_child);
    let forks = reactor.register(near, Interest::READABLE, move |_, _| {
        (&awaited).write_all(b"x").unwrap();
        match fork() {
            0 => set.set(true),
            // The child is first.
            pid => wait(pid),
        }
        Action::Disarm
    });
    // Not before the script waits.
    let begin = move || (&peer).write_all(b"x").unwrap();
    reactor.after(Duration::from_millis(1), begin).detach();
    let hang = reactor.after(LIMIT, || panic!("hangs: its child took the event"));
    let ended = drive(&reactor, Box::pin(script));
    if is_child.get() {
        exit(|| assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::Unsupported));
    }
    ended.unwrap();
    drop((forks, hang));
}

/// Counts the waits of the thread that made it.
struct Looks {
    host: ThreadId,
    /// Written by the host's thread alone, and read by it; an atomic, because a backend is `Sync`. Relaxed:
    /// it publishes nothing.
    looks: AtomicU32,
}

impl Between for Looks {
    fn wait(
        &self,
        events: &mut Vec<Event>,
        wait: impl FnOnce(&mut Vec<Event>) -> io::Result<()>,
    ) -> io::Result<()> {
        if thread::current().id() == self.host {
            self.looks.fetch_add(1, Ordering::Relaxed);
        }
        wait(events)
    }
}

#[test]
fn a_child_that_returns_into_the_turn_takes_no_event_at_its_end() {
    on_each_backend(child_ends_the_turn);
}

/// While the worker rests, the host looks into the backend at the end of each turn. Where the worker is when
/// a callback forks is left open: the forks end with a turn in which the parent has looked.
fn child_ends_the_turn(backend: BackendKind) {
    let looks = Looks { host: thread::current().id(), looks: AtomicU32::new(0) };
    let poller = Forwarding::open(backend, looks);
    if poller.descriptor().is_none() {
        println!("{backend}: skipped: there the worker does not rest");
        return;
    }
    let looks = || poller.looks.load(Ordering::Relaxed);
    let reactor =
        Reactor::builder().poller(Arc::clone(&poller) as Arc<dyn Poller>).build().unwrap();
    let (queue, ticks) = mpsc::channel();
    reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
    let next = || ticks.recv_timeout(LIMIT).expect("hangs: the child took the event");
    let heard = Rc::new(Cell::new(0));
    let is_child = Rc::new(Cell::new(false));
    let has_forked = Rc::new(Cell::new(false));
    let (set, (late, awaited)) = (Rc::clone(&is_child), UnixStream::pair().unwrap());
    let forked = Rc::clone(&has_forked);
    let (forks, first) = hear(&reactor, &heard, move || {
        // For the look to find, where the worker rests.
        (&awaited).write_all(b"x").unwrap();
        forked.set(true);
        match fork() {
            0 => set.set(true),
            // The child is first.
            pid => wait(pid),
        }
    });
    let (brings, second) = hear(&reactor, &heard, || ());
    let awaits = listen(&reactor, late, &heard, || ());
    // True if this was the turn with the fork, and the parent has looked in it.
    let run = |tick: Tick| {
        let before = looks();
        tick.run();
        if is_child.get() {
            exit(|| assert_eq!(looks(), before, "the child has looked"));
        }
        has_forked.take() && looks() > before
    };
    for round in 1.. {
        (&first).write_all(b"x").unwrap();
        let tick = next();
        // With a tick outstanding the worker brings this one too, and rests. Sooner or later it is
        // before the turn that it has.
        (&second).write_all(b"x").unwrap();
        (0..round).for_each(|_| thread::yield_now());
        let mut has_looked = run(tick);
        // That tick may be one that was left of the round before, and the fork comes with the next.
        while heard.get() < 3 * round {
            has_looked |= run(next());
        }
        if has_looked {
            break;
        }
    }
    drop((forks, brings, awaits));
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

/// A source that counts the bytes that it hears and then does `also`, and the peer that they come from.
fn hear(
    reactor: &Reactor,
    heard: &Rc<Cell<u32>>,
    also: impl FnMut() + 'static,
) -> (Source<UnixStream>, UnixStream) {
    let (near, peer) = UnixStream::pair().unwrap();
    (listen(reactor, near, heard, also), peer)
}

fn listen(
    reactor: &Reactor,
    near: UnixStream,
    heard: &Rc<Cell<u32>>,
    mut also: impl FnMut() + 'static,
) -> Source<UnixStream> {
    let heard = Rc::clone(heard);
    let callback = move |mut io: &UnixStream, _| {
        io.read_exact(&mut [0]).unwrap();
        heard.set(heard.get() + 1);
        also();
        Action::Rearm
    };
    reactor.register(near, Interest::READABLE, callback).unwrap()
}
