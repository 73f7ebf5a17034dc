//! The end of a reactor, in every order.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Builder, Handle, Interest, Phase, Reactor, Tick};

use crate::cases;
use crate::futures::{Flag, block_on, yield_now};
use crate::world::{Drive, Host, LIMIT, World};

cases!(
    the_reactor_ends_first_and_an_after_trigger_quits_the_host,
    a_host_that_never_started_is_finished_for,
    finish_runs_calls_timers_and_tasks_that_the_host_left,
    stop_from_another_thread,
    stop_twice,
    stop_inside_a_callback,
    stop_before_start,
    a_stopped_reactor_does_not_run_again,
    a_before_trigger_does_network_io_for_several_turns,
    finish_does_network_io_for_a_before_trigger,
    finish_hears_of_calls_from_other_threads,
    a_before_trigger_that_never_ends_is_named,
    what_is_abandoned_is_named_by_its_place,
    finish_of_nothing_is_clean_and_may_be_repeated,
    finish_inside_a_callback_is_an_error,
    dropping_does_not_wait_for_a_worker_that_blocks,
    dropping_inside_a_callback_is_sound,
    dropping_goes_on_when_destructors_panic,
    the_phases_come_in_order,
    before_triggers_are_awaited_together,
    a_trigger_that_fails_does_not_stop_the_others,
    a_trigger_that_panics_does_not_stop_the_others,
    triggers_come_and_go_during_the_shutdown,
    a_removed_trigger_is_not_waited_for,
    sources_and_timers_are_closed_between_before_and_during,
    tasks_are_cancelled_between_during_and_after,
    the_guard_finishes_in_every_order,
    the_guard_leaves_a_panic_alone,
    the_guard_reports_what_it_abandoned,
    stopped_can_be_waited_for,
    two_panics_in_one_turn_both_come_out,
    reactors_on_one_thread_do_not_disturb_each_other,
    reactors_on_ten_threads_do_not_disturb_each_other,
    a_reactor_in_a_thread_local_ends_with_its_thread;
    interleaved:
    the_host_ends_first_and_finish_completes,
    the_host_ends_behind_our_back_and_the_drop_cleans_up,
    the_host_ends_while_the_waker_is_in_use,
    ten_thousand_calls_before_the_host_runs_cost_one_wake,
    a_synchronous_waker_shuts_down_inside_the_host,
    a_synchronous_waker_whose_host_is_gone_does_not_hang_finish,
    a_synchronous_waker_whose_host_is_gone_does_not_hang_the_drop,
    a_synchronous_waker_whose_host_sleeps_does_not_hang_finish,
    a_synchronous_waker_whose_host_sleeps_does_not_hang_the_drop,
    finish_hears_of_calls_while_the_old_waker_is_stuck,
    the_waker_is_not_called_after_the_end,
    queued_panics_do_not_spin_a_nested_host,
    a_trigger_of_the_current_phase_starts_when_it_is_added_between_turns,
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
fn dead_host(world: &World, reactor: &Reactor) {
    if world.has_host() {
        drop(world.host(reactor));
    }
}

/// Collects the reports of a reactor.
fn reporting(world: &World) -> (Builder, Arc<Mutex<Vec<String>>>) {
    let reports = Arc::new(Mutex::new(Vec::new()));
    let put = Arc::clone(&reports);
    let builder =
        world.builder().reporter(move |report| put.lock().unwrap().push(report.to_string()));
    (builder, reports)
}

fn counter() -> (Arc<AtomicU64>, impl Fn() + Clone + Send + 'static) {
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

/// Behaviour 40: what was set before is alive in the Before triggers.
fn finish_runs_calls_timers_and_tasks_that_the_host_left(world: &World) {
    let reactor = world.reactor();
    dead_host(world, &reactor);
    let (timer_ran, task_ran) = (Flag::default(), Flag::default());
    let (set, timer_waits) = (timer_ran.clone(), timer_ran.clone());
    reactor.after(Duration::from_millis(10), move || set.set()).detach();
    let (set, task_waits) = (task_ran.clone(), task_ran.clone());
    let handle = reactor.handle();
    let task = reactor.spawn_local(async move {
        handle.sleep(Duration::from_millis(5)).await;
        set.set();
    });
    task.detach();
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        timer_waits.wait().await;
        task_waits.wait().await;
    });
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert!(timer_ran.is_set() && task_ran.is_set());
    drop(trigger);
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

/// Says goodbye to a server that the trigger itself connects to: ten rounds over TCP.
async fn goodbye(reactor: Handle) -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let listener = reactor.source(listener)?;
    let client = TcpStream::connect(address)?;
    client.set_nonblocking(true)?;
    let client = reactor.source(client)?;
    listener.ready(Interest::READABLE).await?;
    let (server, _) = listener.get_ref().accept()?;
    server.set_nonblocking(true)?;
    let server = reactor.source(server)?;
    for round in 0..10 {
        client.ready(Interest::WRITABLE).await?;
        client.get_ref().write_all(&[round])?;
        server.ready(Interest::READABLE).await?;
        let mut byte = [0];
        server.get_ref().read_exact(&mut byte)?;
        assert_eq!(byte, [round]);
        reactor.sleep(Duration::from_micros(200)).await;
    }
    Ok(())
}

fn with_goodbye(reactor: &Reactor) -> Flag {
    let (said, handle) = (Flag::default(), reactor.handle());
    let say = said.clone();
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        goodbye(handle).await?;
        say.set();
        io::Result::Ok(())
    });
    trigger.unwrap().detach();
    said
}

/// Behaviour 40, in the host.
fn a_before_trigger_does_network_io_for_several_turns(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let said = with_goodbye(&reactor);
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert!(said.is_set());
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert!(reactor.stats().turns > 10);
}

/// Behaviour 40, without a host.
fn finish_does_network_io_for_a_before_trigger(world: &World) {
    let reactor = world.reactor();
    dead_host(world, &reactor);
    let said = with_goodbye(&reactor);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert!(said.is_set());
}

/// Makes a Before trigger that ends when another thread has had ten calls answered.
fn with_foreign_calls(reactor: &Reactor) -> thread::JoinHandle<u32> {
    let (begun, answered) = (Flag::default(), Flag::default());
    let (begin, answer) = (begun.clone(), answered.clone());
    let (go, gone) = mpsc::channel();
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        begin.set();
        go.send(()).unwrap();
        answer.wait().await;
    });
    trigger.unwrap().detach();
    let reactor_id = REACHED.with_borrow_mut(|reached| {
        reached.push(answered);
        reached.len() - 1
    });
    let remote = reactor.remote();
    thread::spawn(move || {
        gone.recv_timeout(LIMIT).unwrap();
        let sum = (0..10).map(|n| remote.call_blocking(move || n).unwrap()).sum();
        let set = move || REACHED.with_borrow(|reached| reached[reactor_id].set());
        remote.call_blocking(set).unwrap();
        sum
    })
}

thread_local! {
    /// The flags of this host thread that calls from others set.
    static REACHED: RefCell<Vec<Flag>> = const { RefCell::new(Vec::new()) };
}

/// Behaviour 40: the thread blocks in the backend, and a call ends that.
fn finish_hears_of_calls_from_other_threads(world: &World) {
    let reactor = world.reactor();
    dead_host(world, &reactor);
    let caller = with_foreign_calls(&reactor);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert_eq!(caller.join().unwrap(), 45);
}

/// Behaviour 41.
fn a_before_trigger_that_never_ends_is_named(world: &World) {
    let reactor = world.reactor();
    dead_host(world, &reactor);
    let dropped = Rc::new(());
    let held = Rc::clone(&dropped);
    let never = async move {
        let _held = held;
        std::future::pending::<()>().await;
    };
    let trigger = reactor.on_shutdown(Phase::Before, never).unwrap().label("the last word");
    let later = reactor.on_shutdown(Phase::After, async {}).unwrap().label("quits the host");
    let task = reactor.spawn_local(std::future::pending::<()>()).label("a stuck task");
    let (a, _b) = UnixStream::pair().unwrap();
    let source = reactor.source(a).unwrap().label("an open stream");
    let finished = reactor.finish(Duration::from_millis(20)).unwrap();
    for name in ["the last word", "quits the host", "a stuck task", "an open stream"] {
        let named = finished.abandoned.iter().filter(|abandoned| abandoned.contains(name)).count();
        assert_eq!(named, 1, "{name}: {:?}", finished.abandoned);
    }
    assert_eq!(finished.abandoned.len(), 4, "{:?}", finished.abandoned);
    assert!(finished.failed.is_empty());
    assert!(reactor.is_stopped());
    assert_eq!(Rc::strong_count(&dropped), 1, "it is cancelled");
    assert!(!source.is_registered() && task.is_finished() && !trigger.is_pending());
    drop(later);
}

/// Behaviour 41, point 10 of the design: without a label it is the file and the line.
fn what_is_abandoned_is_named_by_its_place(world: &World) {
    let reactor = world.reactor();
    dead_host(world, &reactor);
    let line = line!() + 1;
    let trigger = reactor.on_shutdown(Phase::Before, std::future::pending::<()>());
    let finished = reactor.finish(Duration::from_millis(1)).unwrap();
    let place = format!("{}:{line}:", file!());
    assert!(finished.abandoned[0].contains(&place), "{:?}", finished.abandoned);
    assert!(finished.to_string().contains(&place));
    drop(trigger);
}

/// Behaviour 39, 40.
fn finish_of_nothing_is_clean_and_may_be_repeated(world: &World) {
    let reactor = world.reactor();
    assert!(reactor.finish(Duration::MAX).unwrap().is_clean());
    assert!(reactor.finish(Duration::ZERO).unwrap().is_clean());
    drop(reactor);
    let reactor = world.reactor();
    let finished = reactor.finish(Duration::ZERO).unwrap();
    assert!(finished.is_clean(), "one turn is enough: {finished}");
    drop(reactor);
}

/// Behaviour 40.
fn finish_inside_a_callback_is_an_error(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (inner, done) = (reactor.handle(), host.clone());
    let refused = Rc::new(Cell::new(None));
    let put = Rc::clone(&refused);
    let timer = reactor.after(Duration::ZERO, move || {
        put.set(Some(inner.finish(LIMIT).unwrap_err().kind()));
        assert!(!inner.is_stopped());
        done.done();
    });
    host.run();
    drop(timer);
    assert_eq!(refused.get(), Some(io::ErrorKind::Deadlock));
}

/// Behaviour 42: the worker has nothing to wait for but the end. How long it took is printed; the
/// bound is a generous one.
fn dropping_does_not_wait_for_a_worker_that_blocks(world: &World) {
    let reactor = world.reactor();
    let host = world.is_interleaved().then(|| world.host(&reactor));
    let (a, b) = UnixStream::pair().unwrap();
    let source = reactor.register(a, Interest::READABLE, |_, _| Action::Rearm).unwrap();
    if host.is_some() {
        let limit = Instant::now() + LIMIT;
        while reactor.stats().worker_returns == 0 && !has_worker_settled(&reactor) {
            assert!(Instant::now() < limit);
            thread::yield_now();
        }
    }
    let began = Instant::now();
    drop(reactor);
    let took = began.elapsed();
    println!("{:?} {:?}: dropped in {took:?}", world.backend, world.drive);
    assert!(took < Duration::from_secs(5), "{took:?}");
    drop((source, host, b));
}

/// True once the worker has had the time to block: an interrupt finds it asleep.
fn has_worker_settled(reactor: &Reactor) -> bool {
    let before = reactor.stats().interrupts;
    drop(reactor.after(Duration::from_millis(1), || ()));
    reactor.stats().interrupts > before
}

/// Behaviour 42: the callback that owns the reactor lets it go, and the turn ends in peace.
fn dropping_inside_a_callback_is_sound(world: &World) {
    let slot = Rc::new(RefCell::new(None));
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let handle = reactor.handle();
    let (a, _b) = UnixStream::pair().unwrap();
    let (inner, quit) = (Rc::clone(&slot), host.clone());
    let dropper = move |_: &UnixStream, _| {
        drop(inner.take());
        if quit.drive.has_host() {
            quit.done();
        }
        Action::Rearm
    };
    reactor.register(a, Interest::WRITABLE, dropper).unwrap().detach();
    let late = Rc::new(Cell::new(false));
    let (mark, state) = (Rc::clone(&late), handle.clone());
    let tick = move || {
        mark.set(mark.get() | state.is_stopped());
        std::ops::ControlFlow::Continue(())
    };
    reactor.every(Duration::ZERO, tick).detach();
    let (mark, state) = (Rc::clone(&late), handle.clone());
    let task = async move {
        loop {
            mark.set(mark.get() | state.is_stopped());
            yield_now().await;
        }
    };
    reactor.spawn_local(task).detach();
    slot.replace(Some(reactor));
    match world.drive {
        Drive::Interleaved | Drive::Embed => host.run(),
        Drive::Run | Drive::BlockOn => handle.run().unwrap(),
    }
    assert!(handle.is_stopped());
    assert!(!late.get(), "nothing runs after the drop");
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !thread::panicking() {
            panic!("a destructor");
        }
    }
}

/// Behaviour 42: destructors of callbacks, calls and triggers. (That of a task's future aborts the
/// process, in async-task.)
fn dropping_goes_on_when_destructors_panic(world: &World) {
    let reactor = world.reactor();
    let host = world.has_host().then(|| world.host(&reactor));
    let dropped = Arc::new(());
    let fuse = || (Bomb, Arc::clone(&dropped));
    let mut peers = Vec::new();
    for _ in 0..2 {
        let (a, b) = UnixStream::pair().unwrap();
        let held = fuse();
        let callback = move |_: &UnixStream, _| {
            let _ = &held;
            Action::Rearm
        };
        reactor.register(a, Interest::READABLE, callback).unwrap().detach();
        peers.push(b);
        let held = fuse();
        reactor.after(LIMIT, move || drop(held)).detach();
        let held = fuse();
        reactor.on_shutdown(Phase::Before, async move { drop(held) }).unwrap().detach();
        let held = Arc::clone(&dropped);
        reactor.remote().call(move || drop((Bomb, held))).unwrap();
    }
    let remote = reactor.remote();
    let panicked = catch_unwind(AssertUnwindSafe(|| drop(reactor)));
    assert!(panicked.is_ok(), "the drop of a reactor does not panic");
    assert_eq!(Arc::strong_count(&dropped), 1, "everything is dropped");
    assert!(remote.is_stopped());
    drop(host);
}

/// Behaviour 37.
fn the_phases_come_in_order(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let order = Rc::new(RefCell::new(Vec::new()));
    // Added in the wrong order, and each takes several turns.
    for phase in [Phase::After, Phase::Before, Phase::During, Phase::Before, Phase::After] {
        let order = Rc::clone(&order);
        let trigger = reactor.on_shutdown(phase, async move {
            for _ in 0..3 {
                yield_now().await;
            }
            order.borrow_mut().push(phase);
        });
        trigger.unwrap().detach();
    }
    reactor.stop();
    run_until_stopped(&reactor, &host);
    use Phase::{After, Before, During};
    assert_eq!(*order.borrow(), [Before, Before, During, After, After]);
}

/// Behaviour 37: each waits for the other, in every phase.
fn before_triggers_are_awaited_together(world: &World) {
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let (here, there) = (Flag::default(), Flag::default());
        let (set, wait) = (here.clone(), there.clone());
        let one = reactor.on_shutdown(phase, async move {
            set.set();
            wait.wait().await;
        });
        let two = reactor.on_shutdown(phase, async move {
            here.wait().await;
            there.set();
        });
        reactor.stop();
        run_until_stopped(&reactor, &host);
        drop((one, two));
    }
}

/// Behaviour 37: its error is reported, and in what `finish` tells.
fn a_trigger_that_fails_does_not_stop_the_others(world: &World) {
    let (builder, reports) = reporting(world);
    let reactor = builder.build().unwrap();
    let host = world.host(&reactor);
    let (ran, add) = counter();
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let failing = async move { Err::<(), _>(format!("no way to end {phase:?}")) };
        reactor.on_shutdown(phase, failing).unwrap().label(format!("bad {phase:?}")).detach();
        let add = add.clone();
        let trigger = reactor.on_shutdown(phase, async move {
            yield_now().await;
            add();
        });
        trigger.unwrap().detach();
    }
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(ran.load(Ordering::Relaxed), 3);
    let finished = reactor.finish(LIMIT).unwrap();
    let expected = [
        "bad Before: no way to end Before",
        "bad During: no way to end During",
        "bad After: no way to end After",
    ];
    assert_eq!(finished.failed, expected);
    assert!(finished.abandoned.is_empty());
    let reports = reports.lock().unwrap();
    let about = |text: &str| reports.iter().filter(|report| report.contains(text)).count();
    assert_eq!(about("the shutdown trigger bad"), 3, "{reports:?}");
}

/// Behaviour 37, 20: the panic comes out, and the shutdown goes on.
fn a_trigger_that_panics_does_not_stop_the_others(world: &World) {
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let reactor = world.reactor();
        dead_host(world, &reactor);
        let (ran, add) = counter();
        let trigger = reactor.on_shutdown(phase, async move {
            if phase <= Phase::After {
                panic!("in {phase:?}");
            }
        });
        for phase in [Phase::Before, Phase::During, Phase::After] {
            let add = add.clone();
            let trigger = reactor.on_shutdown(phase, async move {
                yield_now().await;
                add();
            });
            trigger.unwrap().detach();
        }
        let panic = catch_unwind(AssertUnwindSafe(|| reactor.finish(LIMIT))).unwrap_err();
        let message = panic.downcast::<String>().unwrap();
        assert_eq!(*message, format!("in {phase:?}"));
        assert_eq!(ran.load(Ordering::Relaxed), 3);
        assert!(reactor.is_stopped());
        drop(trigger);
    }
}

/// Behaviour 38: of the same phase, of a later one and of a past one.
fn triggers_come_and_go_during_the_shutdown(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let order = Rc::new(RefCell::new(Vec::new()));
    let log = |name: &'static str| {
        let order = Rc::clone(&order);
        async move { order.borrow_mut().push(name) }
    };
    let (same, later) = (log("before, added in before"), log("after, added in before"));
    let (past, removed) = (log("never"), log("removed"));
    let doomed = reactor.on_shutdown(Phase::During, removed).unwrap();
    let handle = reactor.handle();
    let first = reactor.on_shutdown(Phase::Before, async move {
        handle.on_shutdown(Phase::Before, same).unwrap().detach();
        handle.on_shutdown(Phase::After, later).unwrap().detach();
        doomed.remove();
    });
    let handle = reactor.handle();
    let refused = Rc::new(Cell::new(None));
    let put = Rc::clone(&refused);
    let second = reactor.on_shutdown(Phase::During, async move {
        put.set(Some(handle.on_shutdown(Phase::Before, past).unwrap_err().kind()));
    });
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(*order.borrow(), ["before, added in before", "after, added in before"]);
    assert_eq!(refused.get(), Some(io::ErrorKind::NotConnected));
    let late = reactor.on_shutdown(Phase::After, async {});
    assert_eq!(late.unwrap_err().kind(), io::ErrorKind::NotConnected);
    drop((first, second));
}

/// Behaviour 38: nothing else happens that would bring a turn.
fn a_trigger_of_the_current_phase_starts_when_it_is_added_between_turns(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (begun, ended) = (Flag::default(), Flag::default());
    let (begin, end) = (begun.clone(), ended.clone());
    let waits = reactor.on_shutdown(Phase::Before, async move {
        begin.set();
        end.wait().await;
    });
    reactor.stop();
    host.run_until(|| begun.is_set());
    // A plain function of the host, between two turns.
    let added = reactor.on_shutdown(Phase::Before, async move { ended.set() });
    run_until_stopped(&reactor, &host);
    drop((waits, added));
}

/// Behaviour 38: one that runs is cancelled.
fn a_removed_trigger_is_not_waited_for(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let dropped = Rc::new(());
    let held = Rc::clone(&dropped);
    let never = reactor.on_shutdown(Phase::Before, async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    let unbegun = reactor.on_shutdown(Phase::After, std::future::pending::<()>());
    let handle = reactor.handle();
    let other = reactor.on_shutdown(Phase::Before, async move {
        handle.sleep(Duration::from_millis(1)).await;
        never.unwrap().remove();
        drop(unbegun);
    });
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(Rc::strong_count(&dropped), 1);
    drop(other);
}

/// Behaviour 37.
fn sources_and_timers_are_closed_between_before_and_during(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let (a, b) = UnixStream::pair().unwrap();
    let source = Rc::new(reactor.source(a).unwrap());
    let timer = Rc::new(reactor.after(LIMIT * 10, || ()));
    let seen = Rc::new(RefCell::new(Vec::new()));
    let handle = reactor.handle();
    for phase in [Phase::Before, Phase::During] {
        let (seen, source, timer) = (Rc::clone(&seen), Rc::clone(&source), Rc::clone(&timer));
        let handle = handle.clone();
        let trigger = reactor.on_shutdown(phase, async move {
            seen.borrow_mut().push((source.is_registered(), timer.is_pending()));
            // Ends at once where the timers are closed.
            let long = if phase == Phase::During { LIMIT * 10 } else { Duration::ZERO };
            handle.sleep(long).await;
            if phase == Phase::During {
                let refused = source.ready(Interest::READABLE).await.unwrap_err();
                assert_eq!(refused.kind(), io::ErrorKind::NotConnected);
                assert!(!handle.after(Duration::ZERO, || ()).is_pending());
            }
        });
        trigger.unwrap().detach();
    }
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(*seen.borrow(), [(true, true), (false, false)]);
    drop(b);
}

/// Behaviour 37: and their futures dropped on the host thread.
fn tasks_are_cancelled_between_during_and_after(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let alive = Rc::new(());
    let held = Rc::clone(&alive);
    let task = reactor.spawn_local(async move {
        let _held = held;
        std::future::pending::<()>().await;
    });
    let counts = Rc::new(RefCell::new(Vec::new()));
    for phase in [Phase::Before, Phase::During, Phase::After] {
        let (counts, alive) = (Rc::clone(&counts), Rc::downgrade(&alive));
        let look = async move { counts.borrow_mut().push(alive.strong_count()) };
        reactor.on_shutdown(phase, look).unwrap().detach();
    }
    reactor.stop();
    run_until_stopped(&reactor, &host);
    assert_eq!(*counts.borrow(), [2, 2, 1]);
    assert!(task.is_finished());
    assert!(block_on(task.cancel()).is_none());
}

/// Behaviour 39, 40: before and after the reactor, twice, and when all is over.
fn the_guard_finishes_in_every_order(world: &World) {
    for order in 0..4 {
        let reactor = world.reactor();
        dead_host(world, &reactor);
        let said = with_goodbye(&reactor);
        let guard = reactor.finish_on_drop(LIMIT);
        match order {
            0 => {
                drop(guard);
                assert!(said.is_set() && reactor.is_stopped());
                drop(reactor);
            }
            // The reactor's own drop is the abrupt end, and the guard finds nothing to do.
            1 => {
                drop(reactor);
                drop(guard);
                assert!(!said.is_set());
            }
            2 => {
                drop((reactor.finish_on_drop(LIMIT), guard));
                assert!(said.is_set());
            }
            _ => {
                assert!(reactor.finish(LIMIT).unwrap().is_clean());
                drop(guard);
                assert!(said.is_set());
            }
        }
    }
}

/// Behaviour 40: while the thread unwinds nothing runs, in either order of the two.
fn the_guard_leaves_a_panic_alone(world: &World) {
    for guard_first in [false, true] {
        let remote = Mutex::new(None);
        let said = RefCell::new(Flag::default());
        let panic = catch_unwind(AssertUnwindSafe(|| {
            let slot;
            let reactor = world.reactor();
            dead_host(world, &reactor);
            remote.lock().unwrap().replace(reactor.remote());
            said.replace(with_goodbye(&reactor));
            let guard = reactor.finish_on_drop(LIMIT);
            if guard_first {
                slot = (Some(guard), None);
            } else {
                slot = (None, Some(reactor));
            }
            let _used = &slot;
            panic!("the user's");
        }));
        assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "the user's");
        let remote = remote.into_inner().unwrap().unwrap();
        assert!(remote.is_stopped() && !said.borrow().is_set());
    }
}

/// Behaviour 41.
fn the_guard_reports_what_it_abandoned(world: &World) {
    let (builder, reports) = reporting(world);
    let reactor = builder.build().unwrap();
    let guard = reactor.finish_on_drop(Duration::from_millis(1));
    let trigger = reactor.on_shutdown(Phase::Before, std::future::pending::<()>());
    let trigger = trigger.unwrap().label("a farewell");
    drop(guard);
    assert!(reports.lock().unwrap().iter().any(|report| report.contains("a farewell")));
    drop(trigger);
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

/// Behaviour 44: two that talk to each other; one stops, the other goes on.
fn reactors_on_one_thread_do_not_disturb_each_other(world: &World) {
    let (one, two) = (world.reactor(), world.reactor());
    let (a, b) = UnixStream::pair().unwrap();
    let (ran, add) = counter();
    let heard = add.clone();
    let left = one.register(a, Interest::READABLE, move |mut io, _| {
        io.read_exact(&mut [0]).unwrap();
        heard();
        Action::Rearm
    });
    let host = world.host(&one);
    let (third, stop_two) = (world.reactor(), two.handle());
    assert!(third.finish(LIMIT).unwrap().is_clean());
    // The second ends inside a callback of the first.
    let (done, count) = (host.clone(), Arc::clone(&ran));
    let mut b = Some(b);
    let timer = one.every(Duration::from_millis(1), move || {
        assert!(stop_two.finish(LIMIT).unwrap().is_clean());
        b.as_mut().unwrap().write_all(b"x").unwrap();
        if count.load(Ordering::Relaxed) >= 3 {
            done.done();
        }
        std::ops::ControlFlow::Continue(())
    });
    host.run();
    assert!(two.is_stopped());
    drop((timer, left, third));
}

/// Behaviour 44: half of them end while the others work.
fn reactors_on_ten_threads_do_not_disturb_each_other(world: &World) {
    let world = *world;
    let threads: Vec<_> = (0..10)
        .map(|number| {
            thread::spawn(move || {
                let reactor = world.reactor();
                let host = world.host(&reactor);
                let rounds = if number % 2 == 0 { 1 } else { 50 };
                let said = with_goodbye(&reactor);
                let handle = reactor.handle();
                let task = reactor.spawn_local(async move {
                    for _ in 0..rounds {
                        handle.sleep(Duration::from_micros(100)).await;
                    }
                    handle.stop();
                });
                run_until_stopped(&reactor, &host);
                assert!(said.is_set());
                drop(task);
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Behaviour 42: its destructor comes when the locals of the library may be gone already.
fn a_reactor_in_a_thread_local_ends_with_its_thread(world: &World) {
    thread_local! {
        static KEPT: RefCell<Option<Reactor>> = const { RefCell::new(None) };
    }
    let world = *world;
    let (remote, dropped) = thread::spawn(move || {
        // The first to be made is the last to go.
        KEPT.with_borrow(|_| ());
        let reactor = world.reactor();
        dead_host(&world, &reactor);
        let dropped = Arc::new(());
        let held = Arc::clone(&dropped);
        let task = async move {
            let _held = held;
            std::future::pending::<()>().await;
        };
        reactor.spawn_local(task).detach();
        reactor.turn();
        let remote = reactor.remote();
        KEPT.set(Some(reactor));
        (remote, dropped)
    })
    .join()
    .unwrap();
    assert!(remote.stopped().wait(LIMIT));
    assert_eq!(Arc::strong_count(&dropped), 1);
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

/// A host whose waker blocks until the tick has run, as SendMessage does.
#[derive(Clone)]
struct Window {
    state: Arc<(Mutex<WindowState>, Condvar)>,
}

struct WindowState {
    tick: Option<Tick>,
    /// How many callers wait for their ticks.
    waiting: usize,
    gone: bool,
}

impl Window {
    fn interleave(reactor: &Reactor) -> Window {
        let state = WindowState { tick: None, waiting: 0, gone: false };
        let host = Window { state: Arc::new((Mutex::new(state), Condvar::new())) };
        let (waker, home) = (host.clone(), thread::current().id());
        let send = move |tick: Tick| {
            // A message to the own thread is run on the spot.
            if thread::current().id() == home {
                return tick.run();
            }
            waker.send(tick);
        };
        reactor.interleave(send).unwrap();
        host
    }

    fn send(&self, tick: Tick) {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        if state.gone {
            return;
        }
        assert!(state.tick.replace(tick).is_none(), "one at a time");
        state.waiting += 1;
        changed.notify_all();
        while state.waiting > 0 && !state.gone {
            state = changed.wait(state).unwrap();
        }
        // The tick of a host that is gone is a failed post.
        let tick = state.tick.take();
        drop(state);
        drop(tick);
    }

    /// Runs ticks, each while its sender waits.
    fn run_until(&self, done: impl Fn() -> bool) {
        let (state, changed) = &*self.state;
        let limit = Instant::now() + LIMIT;
        while !done() {
            let mut locked = state.lock().unwrap();
            let tick = loop {
                if let Some(tick) = locked.tick.take() {
                    break tick;
                }
                let left = limit.saturating_duration_since(Instant::now());
                assert!(left > Duration::ZERO, "hangs");
                locked = changed.wait_timeout(locked, left).unwrap().0;
            };
            drop(locked);
            tick.run();
            state.lock().unwrap().waiting -= 1;
            changed.notify_all();
        }
    }

    /// Waits until a thread is stuck in the waker, without answering it.
    fn wait_until_stuck(&self) {
        let (state, changed) = &*self.state;
        let state = state.lock().unwrap();
        let stuck = changed.wait_timeout_while(state, LIMIT, |state| state.waiting == 0).unwrap();
        assert!(stuck.0.waiting > 0);
    }

    /// The host window is destroyed: who waits for it returns.
    fn destroy(&self) {
        self.state.0.lock().unwrap().gone = true;
        self.state.1.notify_all();
    }
}

/// Behaviour 40: the last turn runs while the worker waits for it.
fn a_synchronous_waker_shuts_down_inside_the_host(world: &World) {
    let reactor = world.reactor();
    let host = Window::interleave(&reactor);
    let said = with_goodbye(&reactor);
    reactor.stop();
    host.run_until(|| reactor.is_stopped());
    assert!(said.is_set());
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    drop(reactor);
    host.destroy();
}

/// Leaves the worker inside the waker of a host that has ended.
fn stuck(world: &World) -> (Reactor, Window, (UnixStream, Rc<Cell<u32>>)) {
    let reactor = world.reactor();
    let host = Window::interleave(&reactor);
    let (a, mut b) = UnixStream::pair().unwrap();
    let heard = Rc::new(Cell::new(0));
    let hear = Rc::clone(&heard);
    let source = reactor.register(a, Interest::READABLE, move |_, _| {
        hear.set(hear.get() + 1);
        Action::Remove
    });
    source.unwrap().detach();
    b.write_all(b"x").unwrap();
    host.wait_until_stuck();
    (reactor, host, (b, heard))
}

/// Behaviour 40: the window was destroyed before.
fn a_synchronous_waker_whose_host_is_gone_does_not_hang_finish(world: &World) {
    let (reactor, host, (_b, heard)) = stuck(world);
    host.destroy();
    let said = with_goodbye(&reactor);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert!(said.is_set());
    assert_eq!(heard.get(), 1, "what had become ready was delivered");
}

/// Behaviour 40.
fn a_synchronous_waker_whose_host_is_gone_does_not_hang_the_drop(world: &World) {
    let (reactor, host, _peer) = stuck(world);
    host.destroy();
    drop(reactor);
}

/// Behaviour 40: the channel is alive and nobody reads it any more. The worker cannot end before the
/// window goes: that is told, and not waited for.
fn a_synchronous_waker_whose_host_sleeps_does_not_hang_finish(world: &World) {
    let (reactor, host, (_b, heard)) = stuck(world);
    let said = with_goodbye(&reactor);
    let finished = reactor.finish(LIMIT * 10).unwrap();
    assert_eq!(finished.abandoned.len(), 1, "{finished}");
    assert!(finished.abandoned[0].contains("worker"), "{finished}");
    assert!(said.is_set());
    assert_eq!(heard.get(), 1);
    let limit = Instant::now() + LIMIT;
    host.destroy();
    // With the window gone the worker ends.
    while !reactor.finish(LIMIT).unwrap().is_clean() {
        assert!(Instant::now() < limit);
    }
}

/// Behaviour 42.
fn a_synchronous_waker_whose_host_sleeps_does_not_hang_the_drop(world: &World) {
    let (reactor, host, _peer) = stuck(world);
    let began = Instant::now();
    drop(reactor);
    let took = began.elapsed();
    println!("{:?}: dropped in {took:?} with the worker inside the waker", world.backend);
    assert!(took < Duration::from_secs(4), "{took:?}");
    host.destroy();
}

/// Behaviour 40: what other threads wake reaches `finish` past the waker that does not return.
fn finish_hears_of_calls_while_the_old_waker_is_stuck(world: &World) {
    let (reactor, host, _peer) = stuck(world);
    let caller = with_foreign_calls(&reactor);
    let finished = reactor.finish(Duration::from_secs(20)).unwrap();
    let trigger = finished.abandoned.iter().find(|abandoned| abandoned.contains("trigger"));
    assert!(trigger.is_none(), "{finished}");
    assert_eq!(caller.join().unwrap(), 45);
    host.destroy();
}

/// Behaviour 10: by late calls, wakers of tasks, and handles.
fn the_waker_is_not_called_after_the_end(world: &World) {
    for orderly in [false, true] {
        let reactor = world.reactor();
        let over = Arc::new(AtomicBool::new(false));
        let late = Arc::new(AtomicUsize::new(0));
        let (is_over, count) = (Arc::clone(&over), Arc::clone(&late));
        let proxy = reactor.interleave(move |tick| {
            tick.detach();
            if is_over.load(Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let remote = reactor.remote();
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let remote = remote.clone();
                thread::spawn(move || while remote.call(|| ()).is_ok() {})
            })
            .collect();
        if orderly {
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        }
        let handle = reactor.handle();
        if orderly {
            over.store(true, Ordering::SeqCst)
        }
        drop(reactor);
        over.store(true, Ordering::SeqCst);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        proxy.unwrap().hold();
        remote.stop();
        handle.stop();
        handle.turn();
        assert_eq!(late.load(Ordering::SeqCst), 0);
    }
}
