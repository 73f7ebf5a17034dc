//! A forked child has the reactor's memory and descriptors, and not its worker: it gets errors, and
//! its parent goes on (behaviour 43). Forking wants a process of its own.
#![cfg(unix)]
#![allow(unsafe_code)]

use std::cell::Cell;
use std::future::Future;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, BackendKind, Interest, Phase, Reactor, Remote, Source, Tick};

const LIMIT: Duration = Duration::from_secs(60);

/// Tries `case` on every backend that opens here, one at a time: the children of one must not have
/// the descriptors of another.
fn on_each_backend(case: fn(BackendKind)) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    for backend in BackendKind::ALL {
        if let Err(error) = Reactor::builder().backend(backend).build() {
            println!("{backend}: skipped: {error}");
            continue;
        }
        // libkqueue watches from threads that a child does not have.
        if backend == BackendKind::Kqueue && cfg!(target_os = "linux") {
            println!("{backend}: skipped: libkqueue does not survive a fork");
            continue;
        }
        println!("{backend}");
        case(backend);
    }
}

/// Forks: 0 in the child.
fn fork() -> libc::pid_t {
    // SAFETY: the child runs plain code of this process, on the one thread that it has, and exits
    // without running what belongs to the parent. The locks that other threads may hold at the
    // fork, the allocator's, are taken care of by the C library.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
    pid
}

/// Ends the child, which has failed if `rest` panics.
fn exit(rest: impl FnOnce()) -> ! {
    let outcome = catch_unwind(AssertUnwindSafe(rest));
    // SAFETY: it does not return.
    unsafe { libc::_exit(i32::from(outcome.is_err())) }
}

/// Waits for a child to end.
fn wait(pid: libc::pid_t) {
    let mut status = 0;
    // SAFETY: the status is a place of its own.
    let waited = unsafe { libc::waitpid(pid, &mut status, 0) };
    assert_eq!(waited, pid);
    assert_eq!(status, 0, "the child failed");
}

/// Forks; the child runs `child` and exits, the parent waits for it.
fn in_child(child: impl FnOnce()) {
    match fork() {
        0 => exit(child),
        pid => wait(pid),
    }
}

/// A reactor that hears each byte that is sent to it.
struct Parent {
    source: Source<UnixStream>,
    heard: Rc<Cell<u32>>,
    peer: UnixStream,
    ticks: Receiver<Tick>,
    reactor: Reactor,
}

impl Parent {
    fn new(backend: BackendKind) -> Parent {
        let reactor = Reactor::builder().backend(backend).build().unwrap();
        let (queue, ticks) = mpsc::channel();
        reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
        let (a, peer) = UnixStream::pair().unwrap();
        let heard = Rc::new(Cell::new(0));
        let hear = Rc::clone(&heard);
        let source = reactor.register(a, Interest::READABLE, move |mut io, readiness| {
            assert!(!readiness.is_invalid());
            io.read_exact(&mut [0]).unwrap();
            hear.set(hear.get() + 1);
            Action::Rearm
        });
        let parent = Parent { source: source.unwrap(), heard, peer, ticks, reactor };
        parent.goes_on();
        parent
    }

    /// Events, timers, calls and new registrations work as before.
    fn goes_on(&self) {
        for _ in 0..3 {
            let before = self.heard.get();
            (&self.peer).write_all(b"x").unwrap();
            self.run_until(|| self.heard.get() > before);
            let fired = Rc::new(Cell::new(false));
            let set = Rc::clone(&fired);
            // Earlier than what the worker sleeps for: it has to be notified.
            let timer = self.reactor.after(Duration::from_millis(1), move || set.set(true));
            self.run_until(|| fired.get());
            drop(timer);
            let (remote, calls) = (self.reactor.remote(), self.reactor.stats().calls);
            let caller = thread::spawn(move || remote.call_blocking(|| 7).unwrap());
            self.run_until(|| self.reactor.stats().calls > calls);
            assert_eq!(caller.join().unwrap(), 7);
            let (a, mut b) = UnixStream::pair().unwrap();
            let heard = Rc::new(Cell::new(false));
            let hear = Rc::clone(&heard);
            let source = self.reactor.register(a, Interest::READABLE, move |_, _| {
                hear.set(true);
                Action::Remove
            });
            b.write_all(b"x").unwrap();
            self.run_until(|| heard.get());
            drop(source);
        }
    }

    fn run_until(&self, done: impl Fn() -> bool) {
        while !done() {
            let tick = self.ticks.recv_timeout(LIMIT);
            tick.unwrap_or_else(|_| {
                panic!("hangs: {:?}\n{}", self.reactor.stats(), self.reactor.dump())
            })
            .run();
        }
    }

    fn finish(self) {
        self.goes_on();
        assert!(self.reactor.finish(LIMIT).unwrap().is_clean());
    }
}

/// What a child gets of the handle for other threads.
fn refused(remote: &Remote) {
    assert!(remote.call(|| ()).is_err());
    assert_eq!(remote.call_blocking(|| ()).unwrap_err().kind(), io::ErrorKind::Unsupported);
    remote.stop();
    assert!(!remote.stopped().wait(Duration::MAX), "at once: it does not run here");
}

#[test]
fn a_child_gets_errors_and_its_parent_goes_on() {
    on_each_backend(child_gets_errors);
}

fn child_gets_errors(backend: BackendKind) {
    let parent = Parent::new(backend);
    (&parent.peer).write_all(b"x").unwrap();
    in_child(|| {
        let reactor = &parent.reactor;
        let unsupported = io::ErrorKind::Unsupported;
        refused(&reactor.remote());
        let (a, _b) = UnixStream::pair().unwrap();
        let error = reactor.register(a, Interest::READABLE, |_, _| Action::Rearm).unwrap_err();
        assert_eq!(error.error.kind(), unsupported);
        assert_eq!(parent.source.arm(Interest::WRITABLE).unwrap_err().kind(), unsupported);
        assert_eq!(parent.source.disarm().unwrap_err().kind(), unsupported);
        assert_eq!(reactor.interleave(drop).unwrap_err().kind(), unsupported);
        assert_eq!(reactor.waker_proxy().swap(drop).unwrap_err().kind(), unsupported);
        reactor.waker_proxy().hold();
        assert_eq!(reactor.waker_proxy().release().unwrap_err().kind(), unsupported);
        assert_eq!(reactor.embed().unwrap_err().kind(), unsupported);
        assert_eq!(reactor.run().unwrap_err().kind(), unsupported);
        assert_eq!(reactor.finish(LIMIT).unwrap_err().kind(), unsupported);
        let trigger = reactor.on_shutdown(Phase::Before, async {});
        assert_eq!(trigger.unwrap_err().kind(), unsupported);
        // These have no error to give: nothing comes of them.
        let timer = reactor.after(Duration::ZERO, || panic!("a timer ran"));
        let task = reactor.spawn_local(async { panic!("a task ran") });
        let turns = reactor.stats().turns;
        reactor.turn();
        reactor.stop();
        assert_eq!(reactor.stats().turns, turns);
        drop((timer, task));
        // A reactor of its own works.
        let own = Reactor::builder().backend(backend).build().unwrap();
        let (stop, fired) = (own.handle(), Rc::new(Cell::new(false)));
        let set = Rc::clone(&fired);
        let timer = own.after(Duration::from_millis(1), move || {
            set.set(true);
            stop.stop();
        });
        own.run().unwrap();
        assert!(fired.get());
        drop(timer);
    });
    parent.finish();
}

#[test]
fn a_child_that_drops_the_reactor_disturbs_nobody() {
    on_each_backend(child_drops);
}

fn child_drops(backend: BackendKind) {
    let parent = Parent::new(backend);
    let parent = Cell::new(Some(parent));
    for sources_first in [true, false] {
        let kept = parent.take().unwrap();
        let task = kept.reactor.spawn_local(std::future::pending::<()>());
        let timer = kept.reactor.after(LIMIT, || ());
        let slot = Cell::new(Some((kept, task, timer)));
        in_child(|| {
            let (child, task, timer) = slot.take().unwrap();
            let Parent { source, reactor, ticks, .. } = child;
            // The parent's worker may have been about to post to it: the half of a message that
            // never comes is waited for, in the channel's own drop.
            std::mem::forget(ticks);
            let remote = reactor.remote();
            if sources_first {
                drop((source, task, timer, reactor));
            } else {
                drop((reactor, timer, task, source));
            }
            assert!(remote.is_stopped());
            assert!(remote.call(|| ()).is_err());
        });
        let (kept, task, timer) = slot.take().unwrap();
        drop((task, timer));
        kept.goes_on();
        parent.set(Some(kept));
    }
    parent.take().unwrap().finish();
}

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
fn a_child_that_returns_into_the_turn_runs_no_other_callback() {
    on_each_backend(child_returns_into_the_turn);
}

fn child_returns_into_the_turn(backend: BackendKind) {
    let parent = Parent::new(backend);
    let (forked, others) = (Rc::new(Cell::new(None)), Rc::new(Cell::new(0)));
    // Due in the same turn, in this order.
    let due = Instant::now() + Duration::from_millis(1);
    let set = Rc::clone(&forked);
    let forks = parent.reactor.at(due, move || set.set(Some(fork())));
    let count = Rc::clone(&others);
    let other = parent.reactor.at(due, move || count.set(count.get() + 1));
    parent.run_until(|| forked.get().is_some());
    if forked.get() == Some(0) {
        exit(|| assert_eq!(others.get(), 0, "the timer behind it has run"));
    }
    wait(forked.get().expect("it has forked"));
    parent.run_until(|| others.get() == 1);
    drop((forks, other));
    parent.finish();
}

#[test]
fn a_child_of_another_thread_is_not_the_host() {
    on_each_backend(child_of_another_thread);
}

fn child_of_another_thread(backend: BackendKind) {
    let parent = Parent::new(backend);
    let remote = parent.reactor.remote();
    thread::spawn(move || in_child(|| refused(&remote))).join().unwrap();
    parent.finish();
}

#[test]
fn a_child_that_drops_a_reactor_without_a_worker_leaves_its_notifier_alone() {
    on_each_backend(child_drops_before_run);
}

fn child_drops_before_run(backend: BackendKind) {
    let slot = Cell::new(Some(Reactor::builder().backend(backend).build().unwrap()));
    in_child(|| drop(slot.take()));
    let reactor = slot.take().unwrap();
    let remote = reactor.remote();
    let hang = reactor.after(LIMIT, || panic!("hangs: the thread in the backend is not notified"));
    let (blocks, blocked) = mpsc::channel();
    let soon = reactor.after(Duration::from_millis(1), move || blocks.send(()).unwrap());
    // It comes when the host thread is in its wait, or is just about to go there.
    let stopper = thread::spawn(move || {
        blocked.recv_timeout(LIMIT).unwrap();
        remote.stop();
    });
    reactor.run().unwrap();
    stopper.join().unwrap();
    drop((hang, soon));
}

#[test]
fn a_child_is_told_to_watch_the_embedded_descriptor_no_more() {
    on_each_backend(child_is_embedded);
}

fn child_is_embedded(backend: BackendKind) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    let Ok(embedded) = reactor.embed() else { return };
    // Readable in both processes, and the parent's to hear of.
    reactor.remote().call(|| ()).unwrap();
    in_child(|| assert!(!embedded.turn(), "a host in the child would turn for ever"));
    assert!(embedded.turn());
    assert_eq!(reactor.stats().calls, 1);
    drop(embedded);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
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

#[cfg(all(feature = "process", feature = "signal"))]
#[test]
fn a_child_leaves_the_parents_processes_and_signals_to_it() {
    on_each_backend(child_leaves_processes_and_signals);
}

#[cfg(all(feature = "process", feature = "signal"))]
fn child_leaves_processes_and_signals(backend: BackendKind) {
    use std::process::{Command, Stdio};

    use futures_lite::future::poll_once;
    use interloop::signal::{Signal, signals};

    let parent = Parent::new(backend);
    let mut command = Command::new("cat");
    let process = interloop::process::spawn(&parent.reactor, command.stdin(Stdio::piped()));
    let process = Cell::new(Some(process.unwrap().kill_on_drop(true)));
    let listen = || signals(&parent.reactor, &[Signal::URG]);
    let heard = Cell::new(Some(listen().unwrap()));
    in_child(|| {
        let unsupported = io::ErrorKind::Unsupported;
        let mut process = process.take().unwrap();
        assert_eq!(process.kill().unwrap_err().kind(), unsupported);
        assert_eq!(process.try_wait().unwrap_err().kind(), unsupported);
        drop(process);
        assert_eq!(listen().unwrap_err().kind(), unsupported);
        let mut heard = heard.take().unwrap();
        let received = futures_lite::future::block_on(poll_once(heard.recv()));
        assert_eq!(received.unwrap().unwrap_err().kind(), unsupported);
        drop(heard);
    });
    assert_eq!(process.take().unwrap().try_wait().unwrap(), None);
    let mut heard = heard.take().unwrap();
    let again = Rc::new(Cell::new(false));
    let set = Rc::clone(&again);
    let task = parent.reactor.spawn_local(async move {
        set.set(heard.recv().await.unwrap() == Signal::URG);
    });
    signal_hook::low_level::raise(Signal::URG.number()).unwrap();
    parent.run_until(|| again.get());
    drop(task);
    parent.finish();
}

#[cfg(feature = "net")]
#[test]
fn a_child_that_drops_a_stream_leaves_the_connection_to_its_parent() {
    on_each_backend(child_drops_a_stream);
}

#[cfg(feature = "net")]
fn child_drops_a_stream(backend: BackendKind) {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    use interloop::net::UnixStream;

    let parent = Parent::new(backend);
    let (near, mut far) = UnixStream::pair(&parent.reactor).unwrap();
    let halves = Cell::new(Some(near.split()));
    in_child(|| {
        let (mut reader, writer) = halves.take().unwrap();
        let read = futures_lite::future::block_on(reader.read(&mut [0]));
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::Unsupported);
        drop((reader, writer));
    });
    let (_reader, mut writer) = halves.take().unwrap();
    let heard = Rc::new(Cell::new(false));
    let set = Rc::clone(&heard);
    let task = parent.reactor.spawn_local(async move {
        writer.write_all(b"x").await.unwrap();
        far.read_exact(&mut [0]).await.unwrap();
        drop(writer);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
        set.set(true);
    });
    parent.run_until(|| heard.get());
    drop(task);
    parent.finish();
}
