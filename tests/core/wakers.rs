//! What a waker may do: drop or swallow its tick, run it inside itself, panic, block.

use std::cell::{Cell, RefCell};
use std::io::Write;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Handle, Interest, Phase, Report, Tick};

use crate::cases;
use crate::load::{Load, lossy, serve};
use crate::pairs::pair;
use crate::waking::Ran;
use crate::world::{Host, LIMIT, Queue, World};

cases!(;
    interleaved:
    a_waker_that_drops_its_first_ticks_loses_nothing,
    a_waker_that_drops_every_second_tick_loses_nothing,
    a_waker_that_swallows_ticks_loses_nothing,
    a_waker_that_runs_its_ticks_inline_loses_nothing,
    a_waker_that_panics_loses_nothing,
    a_waker_that_blocks_until_the_host_has_run_the_tick_loses_nothing,
    a_waker_that_blocks_for_ever_does_not_hang_the_end,
    a_callback_never_runs_inside_the_waker,
    a_turn_inside_the_waker_is_left_to_the_worker,
    a_waker_that_loses_everything_can_be_replaced,
);

/// Behaviour 6. Nothing but the drop of the ticks tells.
fn a_waker_that_drops_its_first_ticks_loses_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    lossy(&reactor, |number| number < 6, drop);
    let stats = reactor.stats();
    assert_eq!(stats.wakes_failed, 6, "{stats:?}");
    assert!(stats.wakes_repeated >= 6, "{stats:?}");
}

/// Behaviour 6.
fn a_waker_that_drops_every_second_tick_loses_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    lossy(&reactor, |number| number % 2 == 0, drop);
}

/// Behaviour 6. Nothing tells, but that no turn comes.
fn a_waker_that_swallows_ticks_loses_nothing(world: &World) {
    let reactor = world.patient().rewake_after(Duration::from_millis(3)).build().unwrap();
    lossy(&reactor, |number| number < 3 || number % 3 == 0, Tick::detach);
    let stats = reactor.stats();
    assert_eq!(stats.wakes_failed, 0, "{stats:?}");
    assert!(stats.wakes_repeated >= 3, "{stats:?}");
}

/// Behaviour 6: as GLib's invoke, which runs at once what the thread of the loop asks for.
fn a_waker_that_runs_its_ticks_inline_loses_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let queue = Queue::default();
    let (posted, host) = (queue.clone(), thread::current().id());
    let waker = move |tick: Tick| {
        if thread::current().id() == host {
            tick.run();
        } else {
            posted.post(tick);
        }
    };
    reactor.interleave(waker).unwrap();
    let load = Load::start(&reactor, 100, 20);
    serve(&reactor, &load, &queue, Tick::run);
}

/// Behaviour 6: a callback must not run under the feet of the code that woke the host.
fn a_callback_never_runs_inside_the_waker(world: &World) {
    thread_local!(static INSIDE: Cell<bool> = const { Cell::new(false) });
    let reactor = world.patient().build().unwrap();
    let queue = Queue::default();
    let (posted, host) = (queue.clone(), thread::current().id());
    let waker = move |tick: Tick| {
        if thread::current().id() == host {
            INSIDE.set(true);
            tick.run();
            INSIDE.set(false);
        } else {
            posted.post(tick);
        }
    };
    reactor.interleave(waker).unwrap();
    let ran = Arc::new(AtomicUsize::new(0));
    for number in 1..=100 {
        let count = Arc::clone(&ran);
        let call = move || {
            assert!(!INSIDE.get(), "inside the waker");
            count.fetch_add(1, Ordering::AcqRel);
        };
        // On the host thread, outside of a turn and inside.
        reactor.remote().call(call.clone()).unwrap();
        assert_eq!(ran.load(Ordering::Acquire), 3 * (number - 1), "before the host loop");
        let (remote, inner, again) = (reactor.remote(), reactor.handle(), call.clone());
        let task = reactor.spawn_local(async move {
            remote.call(again).unwrap();
            inner.sleep(Duration::ZERO).await;
            call();
        });
        while ran.load(Ordering::Acquire) < 3 * number {
            queue.take(Instant::now() + LIMIT).expect("a tick comes").run();
        }
        drop(task);
    }
}

/// Behaviour 6, for a host whose message carries nothing, and is dispatched at once on its own thread.
fn a_turn_inside_the_waker_is_left_to_the_worker(world: &World) {
    thread_local!(static REACTOR: RefCell<Option<Handle>> = const { RefCell::new(None) });
    let reactor = world.patient().build().unwrap();
    let (posted, messages) = mpsc::channel();
    let host = thread::current().id();
    let waker = move |tick: Tick| {
        tick.detach();
        if thread::current().id() == host {
            let reactor = REACTOR.with_borrow(|reactor| reactor.clone().expect("it is there"));
            reactor.turn();
        } else {
            _ = posted.send(());
        }
    };
    REACTOR.set(Some(reactor.handle()));
    reactor.interleave(waker).unwrap();
    let ran = Ran::default();
    for number in 0..100 {
        ran.call(&reactor.remote(), 0, number);
        assert_eq!(ran.len(), number, "inside the waker");
        while ran.len() == number {
            messages.recv_timeout(LIMIT).expect("a message comes");
            reactor.turn();
        }
    }
    REACTOR.take();
}

/// Behaviour 6: before it has posted the tick, and after.
fn a_waker_that_panics_loses_nothing(world: &World) {
    let reported = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reported);
    let reporter = move |report: &Report<'_>| {
        assert!(matches!(report, Report::WakerPanicked), "{report}");
        count.fetch_add(1, Ordering::AcqRel);
    };
    let reactor = world.patient().reporter(reporter).build().unwrap();
    let queue = Queue::default();
    let (posted, ticks) = (queue.clone(), AtomicUsize::new(0));
    let waker = move |tick| match ticks.fetch_add(1, Ordering::AcqRel) {
        // Without the hook, which would print it.
        number if number < 4 || number % 3 == 0 => resume_unwind(Box::new("of the waker")),
        number => {
            posted.post(tick);
            if number % 3 == 1 {
                resume_unwind(Box::new("of the waker, late"));
            }
        }
    };
    reactor.interleave(waker).unwrap();
    let load = Load::start(&reactor, 100, 20);
    serve(&reactor, &load, &queue, Tick::run);
    assert!(reported.load(Ordering::Acquire) >= 4);
    assert!(reactor.stats().wakes_failed >= 4);
}

/// A tick that somebody waits for to be run, or dropped.
struct Letter {
    tick: Tick,
    _answer: mpsc::Sender<()>,
}

/// As SendMessage: on the host thread at once, elsewhere it blocks until the host has answered.
fn blocking_waker(letters: mpsc::Sender<Letter>) -> impl Fn(Tick) + Send + Sync + 'static {
    let host = thread::current().id();
    move |tick| {
        if thread::current().id() == host {
            return tick.run();
        }
        let (answer, answered) = mpsc::channel();
        if letters.send(Letter { tick, _answer: answer }).is_ok() {
            _ = answered.recv();
        }
    }
}

/// Behaviours 6 and 40. At the end the queue of the host goes first, and so does who waits in it.
fn a_waker_that_blocks_until_the_host_has_run_the_tick_loses_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let (sender, letters) = mpsc::channel();
    reactor.interleave(blocking_waker(sender)).unwrap();
    let load = Load::start(&reactor, 100, 20);
    while !load.is_over() {
        let Letter { tick, _answer } = letters.recv_timeout(LIMIT).expect("a tick comes");
        tick.run();
    }
    load.check();
    let saved = Ran::default();
    let (also, remote) = (saved.clone(), reactor.remote());
    let post = move || (0..100).for_each(|number| also.call(&remote, 1, number));
    let poster = thread::spawn(post);
    (0..100).for_each(|number| saved.call(&reactor.remote(), 0, number));
    // The first of the thread's calls may be waiting in the waker for its answer.
    drop(letters);
    poster.join().unwrap();
    let (client, server) = pair();
    let server = reactor.source(server).unwrap();
    let goodbye = Rc::new(Cell::new(false));
    let (said, inner) = (Rc::clone(&goodbye), reactor.handle());
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        (&client).write_all(b"!").unwrap();
        server.ready(Interest::READABLE).await.unwrap();
        inner.sleep(Duration::from_millis(1)).await;
        said.set(true);
    });
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert!(goodbye.get());
    saved.check(2, 100);
    drop(trigger);
}

/// Behaviour 40: the host has ended with the worker in its waker, and never answers.
fn a_waker_that_blocks_for_ever_does_not_hang_the_end(world: &World) {
    let reactor = world.patient().build().unwrap();
    let (sender, letters) = mpsc::channel();
    reactor.interleave(blocking_waker(sender)).unwrap();
    let fired = Rc::new(Cell::new(false));
    let flag = Rc::clone(&fired);
    let timer = reactor.after(Duration::from_millis(1), move || flag.set(true));
    let stuck = letters.recv_timeout(LIMIT).expect("the worker calls the waker");
    let (done, inner) = (Rc::new(Cell::new(false)), reactor.handle());
    let flag = Rc::clone(&done);
    let trigger = reactor.on_shutdown(Phase::Before, async move {
        inner.sleep(Duration::from_millis(1)).await;
        flag.set(true);
    });
    let finished = reactor.finish(Duration::from_millis(500)).unwrap();
    assert!(fired.get() && done.get());
    assert_eq!(finished.abandoned, ["the worker thread, inside the host's waker"]);
    drop((stuck, timer, trigger));
}

/// Behaviours 6 and 8.
fn a_waker_that_loses_everything_can_be_replaced(world: &World) {
    for lose in [drop, Tick::detach] {
        let reactor = world.patient().build().unwrap();
        let proxy = reactor.interleave(lose).unwrap();
        let load = Load::start(&reactor, 100, 20);
        let host = Host::new(&reactor, world.drive);
        let posted = host.queue.clone();
        proxy.swap(move |tick| posted.post(tick)).unwrap();
        serve(&reactor, &load, &host.queue, Tick::run);
    }
}
