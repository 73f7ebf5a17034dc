//! No way to end a reactor leaves a thread or a descriptor (behaviour 42, and every row of the table
//! in docs/shutdown.md). They are counted in /proc, for the whole process: so this is one test, in a
//! process of its own.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, BackendKind, Interest, Phase, Reactor, Tick};

const LIMIT: Duration = Duration::from_secs(60);

/// How many threads and descriptors the process has.
fn count() -> (usize, usize) {
    let entries = |folder| fs::read_dir(folder).unwrap().count();
    (entries("/proc/self/task"), entries("/proc/self/fd"))
}

/// Runs `row`, and checks that it leaves nothing behind. A thread that was joined may still be listed
/// for a moment.
fn leaves_nothing(name: &str, backend: BackendKind, row: impl FnOnce(BackendKind)) {
    let before = count();
    row(backend);
    let limit = Instant::now() + LIMIT;
    while count() != before {
        assert!(Instant::now() < limit, "{backend}: {name}: {before:?} became {:?}", count());
        thread::yield_now();
    }
}

type Row = (&'static str, fn(BackendKind));

const ROWS: &[Row] = &[
    ("never started and dropped", never_started_and_dropped),
    ("never started and finished", never_started_and_finished),
    ("the host ends first", the_host_ends_first),
    ("the host ends behind our back", the_host_ends_behind_our_back),
    ("the reactor ends first", the_reactor_ends_first),
    ("run until stopped", run_until_stopped),
    ("stopped from another thread", stopped_from_another_thread),
    ("stopped twice, before the start", stopped_twice_before_the_start),
    ("stopped inside a callback", stopped_inside_a_callback),
    ("a trigger does network I/O", a_trigger_does_network_io),
    ("ten thousand calls before the host", ten_thousand_calls_before_the_host),
    ("the waker waits for the tick to run", the_waker_waits_for_the_tick_to_run),
    ("a deadline passes", a_deadline_passes),
    ("a callback panics in run", a_callback_panics_in_run),
    ("the waker is in use", the_waker_is_in_use),
    ("the waker is stuck and the reactor dropped", the_waker_is_stuck_and_the_reactor_dropped),
    ("the waker is stuck and the reactor finished", the_waker_is_stuck_and_the_reactor_finished),
    ("a thousand reactors", a_thousand_reactors),
];

#[test]
fn no_end_of_a_reactor_leaves_a_thread_or_a_descriptor() {
    for backend in BackendKind::ALL {
        // libkqueue keeps descriptors and a thread for itself, from its first use on and for a while
        // after its last: it is not even opened.
        if backend == BackendKind::Kqueue {
            println!("{backend}: skipped: libkqueue keeps a thread of its own");
            continue;
        }
        if let Err(error) = Reactor::builder().backend(backend).build() {
            println!("{backend}: skipped: {error}");
            continue;
        }
        for (name, row) in ROWS {
            let began = Instant::now();
            leaves_nothing(name, backend, row);
            println!("{backend}: {name}: {:?}", began.elapsed());
        }
    }
}

fn reactor(backend: BackendKind) -> Reactor {
    Reactor::builder().backend(backend).reporter(|_| ()).build().unwrap()
}

fn interleaved(backend: BackendKind) -> (Reactor, Receiver<Tick>) {
    let reactor = reactor(backend);
    let (queue, ticks) = mpsc::channel();
    reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
    (reactor, ticks)
}

/// Runs the ticks until the reactor has stopped, and dropped the waker that sends them.
fn host(reactor: &Reactor, ticks: Receiver<Tick>) {
    ticks.into_iter().for_each(Tick::run);
    assert!(reactor.is_stopped());
}

fn stopped_twice_before_the_start(backend: BackendKind) {
    let reactor = reactor(backend);
    load(&reactor);
    reactor.stop();
    reactor.stop();
    let (queue, ticks) = mpsc::channel();
    reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
    host(&reactor, ticks);
}

fn stopped_inside_a_callback(backend: BackendKind) {
    let (reactor, ticks) = interleaved(backend);
    load(&reactor);
    let handle = reactor.handle();
    reactor.after(Duration::ZERO, move || handle.stop()).detach();
    host(&reactor, ticks);
}

fn a_trigger_does_network_io(backend: BackendKind) {
    let (reactor, ticks) = interleaved(backend);
    load(&reactor);
    let handle = reactor.handle();
    let goodbye = async move {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let listener = handle.source(listener).unwrap();
        listener.ready(Interest::READABLE).await.unwrap();
        let server = handle.source(listener.get_ref().accept().unwrap().0).unwrap();
        client.write_all(b"goodbye").unwrap();
        server.ready(Interest::READABLE).await.unwrap();
        server.get_ref().read_exact(&mut [0; 7]).unwrap();
    };
    reactor.on_shutdown(Phase::Before, goodbye).unwrap().detach();
    reactor.stop();
    host(&reactor, ticks);
}

fn ten_thousand_calls_before_the_host(backend: BackendKind) {
    let reactor = reactor(backend);
    load(&reactor);
    let ran = Arc::new(Mutex::new(0));
    for _ in 0..10_000 {
        let ran = Arc::clone(&ran);
        reactor.remote().call(move || *ran.lock().unwrap() += 1).unwrap();
    }
    let (queue, ticks) = mpsc::channel();
    reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
    reactor.stop();
    host(&reactor, ticks);
    assert_eq!(*ran.lock().unwrap(), 10_000);
}

fn the_waker_waits_for_the_tick_to_run(backend: BackendKind) {
    let reactor = reactor(backend);
    load(&reactor);
    let (queue, ticks) = mpsc::channel::<(Tick, Sender<()>)>();
    let host = thread::current().id();
    let waker = move |tick: Tick| {
        // As SendMessage, which calls the window at once on its own thread.
        if thread::current().id() == host {
            return tick.run();
        }
        let (run, has_run) = mpsc::channel();
        if queue.send((tick, run)).is_ok() {
            let _dropped = has_run.recv();
        }
    };
    let remote = reactor.remote();
    reactor.interleave(waker).unwrap();
    let stopper = thread::spawn(move || remote.stop());
    while !reactor.is_stopped() {
        let (tick, _answered_by_its_drop) = ticks.recv_timeout(LIMIT).unwrap();
        tick.run();
    }
    drop(ticks);
    stopper.join().unwrap();
}

/// Gives the reactor one of each to hold.
fn load(reactor: &Reactor) {
    let (a, mut b) = UnixStream::pair().unwrap();
    b.write_all(b"x").unwrap();
    let echo = move |mut io: &UnixStream, _| {
        let _ = (io.read(&mut [0]), &b);
        Action::Rearm
    };
    reactor.register(a, Interest::READABLE, echo).unwrap().detach();
    reactor.after(LIMIT, || ()).detach();
    let (c, d) = UnixStream::pair().unwrap();
    let waiting = reactor.source(c).unwrap();
    let waits = async move {
        let _ready = waiting.ready(Interest::READABLE).await;
        drop(d);
    };
    reactor.spawn_local(waits).detach();
    let handle = reactor.handle();
    let sleeps = async move { handle.sleep(Duration::from_micros(100)).await };
    reactor.on_shutdown(Phase::Before, sleeps).unwrap().detach();
    let (e, _f) = UnixStream::pair().unwrap();
    reactor.remote().call(move || drop(e)).unwrap();
}

fn never_started_and_dropped(backend: BackendKind) {
    let reactor = reactor(backend);
    load(&reactor);
}

fn never_started_and_finished(backend: BackendKind) {
    let reactor = reactor(backend);
    load(&reactor);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

fn the_host_ends_first(backend: BackendKind) {
    let (reactor, ticks) = interleaved(backend);
    load(&reactor);
    ticks.recv_timeout(LIMIT).unwrap().run();
    drop(ticks);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

fn the_host_ends_behind_our_back(backend: BackendKind) {
    let (reactor, ticks) = interleaved(backend);
    load(&reactor);
    ticks.recv_timeout(LIMIT).unwrap().run();
    drop(ticks);
    drop(reactor);
}

fn the_reactor_ends_first(backend: BackendKind) {
    let (reactor, ticks) = interleaved(backend);
    load(&reactor);
    reactor.stop();
    while !reactor.is_stopped() {
        ticks.recv_timeout(LIMIT).unwrap().run();
    }
}

fn run_until_stopped(backend: BackendKind) {
    let reactor = reactor(backend);
    load(&reactor);
    let stopper = reactor.remote();
    reactor.after(Duration::from_micros(100), move || stopper.stop()).detach();
    reactor.run().unwrap();
}

fn stopped_from_another_thread(backend: BackendKind) {
    let (reactor, ticks) = interleaved(backend);
    load(&reactor);
    let remote = reactor.remote();
    let stopper = thread::spawn(move || remote.stop());
    while !reactor.is_stopped() {
        ticks.recv_timeout(LIMIT).unwrap().run();
    }
    stopper.join().unwrap();
}

fn a_deadline_passes(backend: BackendKind) {
    let (reactor, _ticks) = interleaved(backend);
    load(&reactor);
    reactor.on_shutdown(Phase::Before, std::future::pending::<()>()).unwrap().detach();
    assert!(!reactor.finish(Duration::from_millis(1)).unwrap().is_clean());
}

fn a_callback_panics_in_run(backend: BackendKind) {
    let reactor = reactor(backend);
    load(&reactor);
    reactor.after(Duration::ZERO, || std::panic::panic_any("a callback")).detach();
    assert!(catch_unwind(AssertUnwindSafe(|| reactor.run())).is_err());
}

fn the_waker_is_in_use(backend: BackendKind) {
    let (reactor, ticks) = interleaved(backend);
    load(&reactor);
    let remote = reactor.remote();
    let caller = thread::spawn(move || while remote.call(|| ()).is_ok() {});
    ticks.recv_timeout(LIMIT).unwrap().run();
    drop(ticks);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    caller.join().unwrap();
}

/// A reactor whose worker is inside a waker that waits until the receiver of `window` is dropped.
fn stuck(backend: BackendKind) -> (Reactor, Sender<()>) {
    let reactor = reactor(backend);
    let (window, destroyed) = mpsc::channel::<()>();
    let (entered, enters) = mpsc::channel();
    let (home, destroyed) = (thread::current().id(), Arc::new(Mutex::new(destroyed)));
    let waker = move |tick: Tick| {
        tick.detach();
        if thread::current().id() != home {
            entered.send(()).unwrap();
            let _gone = destroyed.lock().unwrap().recv();
        }
    };
    reactor.interleave(waker).unwrap();
    load(&reactor);
    reactor.turn();
    // Nothing is outstanding, so that the worker wakes for this one.
    let (a, mut b) = UnixStream::pair().unwrap();
    reactor.register(a, Interest::READABLE, |_, _| Action::Remove).unwrap().detach();
    b.write_all(b"x").unwrap();
    enters.recv_timeout(LIMIT).unwrap();
    (reactor, window)
}

fn the_waker_is_stuck_and_the_reactor_dropped(backend: BackendKind) {
    let (reactor, window) = stuck(backend);
    drop(reactor);
    drop(window);
}

fn the_waker_is_stuck_and_the_reactor_finished(backend: BackendKind) {
    let (reactor, window) = stuck(backend);
    let finished = reactor.finish(Duration::from_millis(20)).unwrap();
    assert!(finished.abandoned.iter().any(|what| what.contains("waker")), "{finished}");
    drop(window);
    drop(reactor);
}

fn a_thousand_reactors(backend: BackendKind) {
    for number in 0..1000 {
        if let (3, Ok(embedded)) = (number % 4, reactor(backend).embed()) {
            drop(embedded);
            continue;
        }
        let (reactor, ticks) = interleaved(backend);
        load(&reactor);
        if number % 2 == 0 {
            ticks.recv_timeout(LIMIT).unwrap().run();
        }
    }
}
