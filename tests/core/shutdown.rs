//! The end of a reactor: who asks for it, and when.

use std::cell::Cell;
use std::io::{self, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Builder, Handle, Interest, Phase, Reactor, Tick};

use crate::cases;
use crate::futures::{Flag, block_on};
use crate::world::{Drive, Host, LIMIT, World};

cases!(
    the_reactor_ends_first_and_an_after_trigger_quits_the_host,
    a_host_that_never_started_is_finished_for,
    stop_from_another_thread,
    stop_twice,
    stop_inside_a_callback,
    stop_before_start,
    a_stopped_reactor_does_not_run_again,
    stopped_can_be_waited_for,
    two_panics_in_one_turn_both_come_out;
    interleaved:
    the_host_ends_first_and_finish_completes,
    the_host_ends_behind_our_back_and_the_drop_cleans_up,
    the_host_ends_while_the_waker_is_in_use,
    ten_thousand_calls_before_the_host_runs_cost_one_wake,
    queued_panics_do_not_spin_a_nested_host,
);

/// Runs the host until the reactor has stopped.
pub fn run_until_stopped(reactor: &Handle, host: &Host) {
    match host.drive {
        Drive::Interleaved | Drive::Embed => host.run_until(|| reactor.is_stopped()),
        Drive::Run | Drive::BlockOn => {
            let state = reactor.clone();
            let hang = move || panic!("hangs: {state:?}\n{}", state.dump());
            let _hang = reactor.after(LIMIT, hang);
            reactor.run().unwrap();
        }
    }
    assert!(reactor.is_stopped());
}

/// Joins the reactor to a host loop that ends without having run once, where there is one.
pub fn dead_host(world: &World, reactor: &Reactor) {
    if world.has_host() {
        drop(world.host(reactor));
    }
}

/// Collects the reports of a reactor.
pub fn reporting(world: &World) -> (Builder, Arc<Mutex<Vec<String>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let put = Arc::clone(&reports);
    let builder =
        world.builder().reporter(move |report| put.lock().unwrap().push(report.to_string()));
    (builder, reports)
}

pub fn counter() -> (Arc<AtomicU64>, impl Fn() + Clone + Send + 'static) {
    let count = Arc::new(AtomicU64::new(0));
    let add = Arc::clone(&count);
    let add = move || {
        add.fetch_add(1, Ordering::Relaxed);
    };
    (count, add)
}

/// Behaviour 40: its queue is gone, calls and a timer are left.
fn the_host_ends_first_and_finish_completes(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let done = host.clone();
    reactor.after(Duration::ZERO, move || done.done()).detach();
    host.run();
    drop(host);
    let (ran, add) = counter();
    for _ in 0..100 {
        reactor.remote().call(add.clone()).unwrap();
    }
    let (a, mut b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    let source = reactor.source(a).unwrap();
    let heard = Flag::default();
    let (hear, sleep) = (heard.clone(), reactor.sleep(Duration::from_millis(5)));
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        sleep.await;
        source.ready(Interest::READABLE).await.unwrap();
        hear.set();
    });
    b.write_all(b"x").unwrap();
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert!(heard.is_set());
    assert_eq!(ran.load(Ordering::Relaxed), 100);
    drop(trigger);
}

/// Behaviour 42: the abrupt end, with a tick on its way and a call that nobody runs.
fn the_host_ends_behind_our_back_and_the_drop_cleans_up(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (ran, add) = counter();
    reactor.remote().call(add).unwrap();
    let queue = host.queue.clone();
    drop(host);
    drop(reactor);
    assert_eq!(ran.load(Ordering::Relaxed), 0);
    // The host's queue is flushed when all is over.
    while let Some(tick) = queue.take(Instant::now()) {
        tick.run();
    }
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

/// Behaviour 40: threads go on calling while the host loop ends, its queue goes, and the reactor is
/// finished.
fn the_host_ends_while_the_waker_is_in_use(world: &World) {
    for _ in 0..20 {
        let reactor = world.reactor();
        let host = Host::new(&reactor, world.drive);
        let (sender, ticks) = mpsc::channel::<Tick>();
        let sender = Mutex::new(sender);
        let proxy =
            reactor.interleave(move |tick| drop(sender.lock().unwrap().send(tick))).unwrap();
        let (ran, add) = counter();
        let callers: Vec<_> = (0..3)
            .map(|_| {
                let (remote, add) = (reactor.remote(), add.clone());
                thread::spawn(move || {
                    let mut taken = 0;
                    while remote.call(add.clone()).is_ok() {
                        taken += 1;
                        thread::yield_now();
                    }
                    taken
                })
            })
            .collect();
        for _ in 0..3 {
            ticks.recv_timeout(LIMIT).unwrap().run();
        }
        drop(ticks);
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        let taken: u64 = callers.into_iter().map(|caller| caller.join().unwrap()).sum();
        assert_eq!(ran.load(Ordering::Relaxed), taken);
        drop((proxy, host));
    }
}

/// Behaviour 39.
fn the_reactor_ends_first_and_an_after_trigger_quits_the_host(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let quit = host.clone();
    let trigger = reactor.on_shutdown(Phase::After, async move { quit.done() }).unwrap();
    let stopper = reactor.handle();
    let timer = reactor.after(Duration::from_millis(1), move || stopper.stop());
    host.run();
    assert!(reactor.is_stopped(), "the end comes in the turn of the last trigger");
    // The host loop that goes on finds nothing more to run.
    let turns = reactor.stats().turns;
    reactor.turn();
    assert_eq!(reactor.stats().turns, turns);
    drop((timer, trigger));
}

/// Behaviour 40: neither interleaved nor run, and with a loop that was joined and never began.
fn a_host_that_never_started_is_finished_for(world: &World) {
    let reactor = world.reactor();
    let host = world.has_host().then(|| world.host(&reactor));
    let (ran, add) = counter();
    for _ in 0..1000 {
        reactor.remote().call(add.clone()).unwrap();
    }
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(ran.load(Ordering::Relaxed), 1000);
    drop(host);
}

/// Behaviour 39.
fn stop_from_another_thread(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let remote = reactor.remote();
    let stopper = thread::spawn(move || {
        remote.stop();
        remote.stopped().wait(LIMIT)
    });
    run_until_stopped(&reactor, &host);
    assert!(stopper.join().unwrap());
}

/// Behaviour 39: from several threads, and on the host thread.
fn stop_twice(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (triggered, add) = counter();
    let trigger = reactor.on_shutdown(Phase::Before, async move { add() }).unwrap();
    let stoppers: Vec<_> = (0..4)
        .map(|_| {
            let remote = reactor.remote();
            thread::spawn(move || (0..100).for_each(|_| remote.stop()))
        })
        .collect();
    reactor.stop();
    reactor.stop();
    run_until_stopped(&reactor, &host);
    stoppers.into_iter().for_each(|stopper| stopper.join().unwrap());
    reactor.stop();
    reactor.remote().stop();
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(triggered.load(Ordering::Relaxed), 1);
    drop(trigger);
}

/// Behaviour 39: of a source, a timer, a call, a task and a trigger.
fn stop_inside_a_callback(world: &World) {
    for kind in 0..5 {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let stopper = reactor.handle();
        let (a, b) = UnixStream::pair().unwrap();
        match kind {
            0 => {
                let stop = move |_: &UnixStream, _| {
                    stopper.stop();
                    Action::Rearm
                };
                reactor.register(a, Interest::WRITABLE, stop).unwrap().detach();
            }
            1 => reactor.after(Duration::ZERO, move || stopper.stop()).detach(),
            2 => {
                let remote = reactor.remote();
                reactor.remote().call(move || remote.stop()).unwrap();
            }
            3 => reactor.spawn_local(async move { stopper.stop() }).detach(),
            _ => {
                reactor.on_shutdown(Phase::Before, async move { stopper.stop() }).unwrap().detach();
                reactor.stop();
            }
        }
        run_until_stopped(&reactor, &host);
        drop(b);
    }
}

/// Behaviour 39: it takes effect with the first turn, and runs what was posted.
fn stop_before_start(world: &World) {
    let reactor = world.reactor();
    let (ran, add) = counter();
    reactor.remote().call(add).unwrap();
    reactor.stop();
    assert!(!reactor.is_stopped());
    let host = world.host(&reactor);
    run_until_stopped(&reactor, &host);
    assert_eq!(ran.load(Ordering::Relaxed), 1);
}

/// Behaviour 39.
fn a_stopped_reactor_does_not_run_again(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(reactor.run().unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert_eq!(reactor.interleave(drop).unwrap_err().kind(), io::ErrorKind::NotConnected);
    assert_eq!(reactor.waker_proxy().swap(drop).unwrap_err().kind(), io::ErrorKind::NotConnected);
    let refused = reactor.source(UnixStream::pair().unwrap().0).unwrap_err();
    assert_eq!(refused.error.kind(), io::ErrorKind::NotConnected);
}

/// Point 5 of the design: by threads that block, and by futures on foreign executors and our own.
fn stopped_can_be_waited_for(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let remote = reactor.remote();
    assert!(!remote.stopped().wait(Duration::MAX), "at once on the host thread");
    let (waiting, waits) = mpsc::channel();
    let threads: Vec<_> = (0..4)
        .map(|number| {
            let (remote, waiting) = (remote.clone(), waiting.clone());
            thread::spawn(move || {
                assert!(!remote.stopped().wait(Duration::from_millis(1)));
                drop(remote.stopped());
                let stopped = remote.stopped();
                waiting.send(()).unwrap();
                match number {
                    0 => assert!(stopped.wait(LIMIT)),
                    1 => assert!(stopped.wait(Duration::MAX)),
                    _ => block_on(stopped),
                }
                assert!(remote.is_stopped());
            })
        })
        .collect();
    for _ in 0..4 {
        waits.recv_timeout(LIMIT).unwrap();
    }
    // Another reactor's task waits for this one's end.
    let other = world.reactor();
    let heard = Flag::default();
    let (hear, stopped) = (heard.clone(), remote.stopped());
    let task = other.spawn_local(async move {
        stopped.await;
        hear.set();
    });
    other.turn();
    assert!(!heard.is_set());
    reactor.stop();
    run_until_stopped(&reactor, &host);
    other.turn();
    assert!(heard.is_set() && task.is_finished());
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Behaviour 20: each of its own turn.
fn two_panics_in_one_turn_both_come_out(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    for message in ["one", "two"] {
        reactor.after(Duration::ZERO, move || std::panic::panic_any(message)).detach();
    }
    for message in ["one", "two"] {
        let turn = || match world.drive {
            Drive::Interleaved => loop {
                host.queue.take(Instant::now() + LIMIT).expect("a tick for the panic").run();
            },
            Drive::Embed => host.run_until(|| false),
            Drive::Run | Drive::BlockOn => reactor.run().unwrap(),
        };
        let panic = catch_unwind(AssertUnwindSafe(turn)).unwrap_err();
        assert_eq!(*panic.downcast::<&str>().unwrap(), message);
    }
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

/// A nested host loop with two panics behind it has nothing to do, and is left in peace.
fn queued_panics_do_not_spin_a_nested_host(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (inner, nested) = (reactor.handle(), host.clone());
    let turns = Rc::new(Cell::new(0));
    let put = Rc::clone(&turns);
    let dialog = reactor.after(Duration::ZERO, move || {
        for _ in 0..2 {
            inner.after(Duration::ZERO, || panic!("behind the dialog")).detach();
        }
        let closed = Rc::new(Cell::new(false));
        let close = Rc::clone(&closed);
        inner.after(Duration::from_millis(100), move || close.set(true)).detach();
        nested.run_until(|| closed.get());
        put.set(inner.stats().turns);
        nested.done();
    });
    let panic = catch_unwind(AssertUnwindSafe(|| host.run()));
    assert!(panic.is_err());
    assert!(turns.get() < 100, "{} turns of an idle dialog", turns.get());
    drop(dialog);
}

/// Behaviour 1.
fn ten_thousand_calls_before_the_host_runs_cost_one_wake(world: &World) {
    let reactor = world.unhurried();
    let (ran, add) = counter();
    for _ in 0..10_000 {
        reactor.remote().call(add.clone()).unwrap();
    }
    assert_eq!(reactor.stats().wakes_issued, 0);
    let host = world.host(&reactor);
    assert_eq!((host.queue.len(), reactor.stats().wakes_issued), (1, 1));
    host.run_until(|| ran.load(Ordering::Relaxed) == 10_000);
    let stats = reactor.stats();
    assert_eq!((host.queue.len(), stats.wakes_issued, stats.turns), (0, 1, 1));
}
