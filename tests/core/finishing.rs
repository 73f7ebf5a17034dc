//! What `finish` waits for, runs and names, and the guard that calls it.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Mutex, mpsc};
use std::thread;
use std::time::Duration;

use interloop::{Action, Handle, Interest, Phase, Reactor};

use crate::cases;
use crate::futures::Flag;
use crate::shutdown::{dead_host, reporting, run_until_stopped};
use crate::world::{LIMIT, World};

cases!(
    finish_runs_calls_timers_and_tasks_that_the_host_left,
    a_before_trigger_does_network_io_for_several_turns,
    finish_does_network_io_for_a_before_trigger,
    finish_hears_of_calls_from_other_threads,
    finish_hears_what_the_worker_found_last,
    a_before_trigger_that_never_ends_is_named,
    what_is_abandoned_is_named_by_its_place,
    finish_of_nothing_is_clean_and_may_be_repeated,
    finish_inside_a_callback_is_an_error,
    the_guard_finishes_in_every_order,
    the_guard_leaves_a_panic_alone,
    the_guard_reports_what_it_abandoned,
);

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

/// Behaviour 40: what becomes ready while the worker leaves is delivered by who waits after it.
fn finish_hears_what_the_worker_found_last(world: &World) {
    for _ in 0..50 {
        let reactor = world.reactor();
        dead_host(world, &reactor);
        let (near, mut far) = UnixStream::pair().unwrap();
        far.write_all(b"a").unwrap();
        let heard = Flag::default();
        let (set, waits) = (heard.clone(), heard.clone());
        let callback = move |_: &UnixStream, _| {
            set.set();
            Action::Remove
        };
        reactor.register(near, Interest::READABLE, callback).unwrap().detach();
        let trigger = reactor.on_shutdown(Phase::Before, async move { waits.wait().await });
        assert!(reactor.finish(LIMIT).unwrap().is_clean());
        assert!(heard.is_set());
        drop(trigger);
    }
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

pub fn with_goodbye(reactor: &Reactor) -> Flag {
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
pub fn with_foreign_calls(reactor: &Reactor) -> thread::JoinHandle<u32> {
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
