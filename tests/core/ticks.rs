//! What a host may do to a tick: lose it, keep it, run it late, twice, inside the waker, elsewhere.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::{Read, Write};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest, Phase, Reactor, Report, Tick};

use crate::cases;
use crate::waking::Ran;
use crate::world::{Host, LIMIT, Queue, World};

cases!(;
    interleaved:
    a_waker_that_drops_its_first_ticks_loses_nothing,
    a_waker_that_drops_every_second_tick_loses_nothing,
    a_waker_that_swallows_ticks_loses_nothing,
    ticks_that_are_run_late_lose_nothing,
    ticks_that_are_run_twice_lose_nothing,
    ticks_that_are_run_twice_by_number_lose_nothing,
    a_waker_that_runs_its_ticks_inline_loses_nothing,
    a_waker_that_panics_loses_nothing,
    a_waker_that_blocks_until_the_host_has_run_the_tick_loses_nothing,
    a_waker_that_blocks_for_ever_does_not_hang_the_end,
    ticks_that_are_run_on_another_thread_lose_nothing,
    a_detached_tick_and_a_turn_lose_nothing,
    a_tick_on_another_thread_only_reports,
    a_callback_never_runs_inside_the_waker,
    a_post_that_failed_while_held_is_replayed,
    a_waker_that_loses_everything_can_be_replaced,
    a_tick_that_outlives_its_reactor_is_harmless,
);

fn pair() -> (std::os::unix::net::UnixStream, std::os::unix::net::UnixStream) {
    let (a, b) = std::os::unix::net::UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

/// Something of every kind, each of which must arrive once and in order: calls of two threads, an
/// echo, a chain of timers, a task that is woken by another thread.
struct Load {
    ran: Ran,
    calls: usize,
    rounds: usize,
    echoes: Rc<Cell<usize>>,
    timers: Rc<Cell<usize>>,
    polled: Rc<RefCell<Vec<usize>>>,
    _kept: Box<dyn std::any::Any>,
}

impl Load {
    fn start(reactor: &Reactor, calls: usize, rounds: usize) -> Load {
        let ran = Ran::default();
        for thread in 0..2 {
            let (ran, remote) = (ran.clone(), reactor.remote());
            thread::spawn(move || {
                for number in 0..calls {
                    ran.call(&remote, thread, number);
                    if number % 10 == 0 {
                        thread::yield_now();
                    }
                }
            });
        }
        let echoes = Rc::new(Cell::new(0));
        let kept = Load::echo(reactor, rounds, &echoes);
        let timers = Rc::new(Cell::new(0));
        Load::chain(reactor, rounds, &timers);
        let polled = Rc::new(RefCell::new(Vec::new()));
        Load::ping(reactor, rounds, &polled);
        Load { ran, calls, rounds, echoes, timers, polled, _kept: kept }
    }

    fn echo(reactor: &Reactor, rounds: usize, echoes: &Rc<Cell<usize>>) -> Box<dyn std::any::Any> {
        let (client, server) = pair();
        let server = reactor.register(server, Interest::READABLE, |mut io, _| {
            let mut byte = [0];
            io.read_exact(&mut byte).unwrap();
            io.write_all(&byte).unwrap();
            Action::Rearm
        });
        let count = Rc::clone(echoes);
        let client = reactor.register(client, Interest::READABLE, move |mut io, _| {
            let mut byte = [0];
            io.read_exact(&mut byte).unwrap();
            assert_eq!(usize::from(byte[0]), count.get() % 256);
            count.set(count.get() + 1);
            if count.get() < rounds {
                io.write_all(&[count.get() as u8]).unwrap();
            }
            Action::Rearm
        });
        let client = client.unwrap();
        client.get_ref().write_all(&[0]).unwrap();
        Box::new((server.unwrap(), client))
    }

    fn chain(reactor: &Handle, left: usize, timers: &Rc<Cell<usize>>) {
        let (inner, timers) = (reactor.handle(), Rc::clone(timers));
        let next = move || {
            timers.set(timers.get() + 1);
            if left > 1 {
                Load::chain(&inner, left - 1, &timers);
            }
        };
        reactor.after(Duration::from_micros(300), next).detach();
    }

    /// A thread counts up and wakes the task; the task says when it has seen the number.
    fn ping(reactor: &Reactor, rounds: usize, polled: &Rc<RefCell<Vec<usize>>>) {
        #[derive(Default)]
        struct Ping {
            number: AtomicUsize,
            waker: Mutex<Option<Waker>>,
        }
        let ping = Arc::new(Ping::default());
        let (seen, next) = mpsc::channel();
        let (woken, polled) = (Arc::clone(&ping), Rc::clone(polled));
        let task = poll_fn(move |context| {
            *woken.waker.lock().unwrap() = Some(context.waker().clone());
            let number = woken.number.load(Ordering::Acquire);
            if polled.borrow().len() < number {
                polled.borrow_mut().push(number);
            }
            _ = seen.send(number);
            if number == rounds { Poll::Ready(()) } else { Poll::Pending }
        });
        reactor.spawn_local(task).detach();
        thread::spawn(move || {
            while let Ok(number) = next.recv() {
                if number == rounds {
                    return;
                }
                ping.number.store(number + 1, Ordering::Release);
                let waker = ping.waker.lock().unwrap().clone();
                waker.unwrap().wake();
            }
        });
    }

    fn is_over(&self) -> bool {
        self.ran.len() == 2 * self.calls
            && self.echoes.get() == self.rounds
            && self.timers.get() == self.rounds
            && self.polled.borrow().len() == self.rounds
    }

    fn check(&self) {
        self.ran.check(2, self.calls);
        assert!(self.polled.borrow().iter().copied().eq(1..=self.rounds));
    }
}

/// Runs a load in a host whose waker does `lose` to the ticks with these numbers, and posts the
/// others.
fn lossy(
    reactor: &Reactor,
    lost: impl Fn(usize) -> bool + Send + Sync + 'static,
    lose: impl Fn(Tick) + Send + Sync + 'static,
) {
    let queue = Queue::default();
    let (posted, ticks) = (queue.clone(), AtomicUsize::new(0));
    let waker = move |tick| match ticks.fetch_add(1, Ordering::AcqRel) {
        number if lost(number) => lose(tick),
        _ => posted.post(tick),
    };
    reactor.interleave(waker).unwrap();
    let load = Load::start(reactor, 100, 20);
    serve(reactor, &load, &queue, Tick::run);
}

fn serve(reactor: &Reactor, load: &Load, queue: &Queue, mut run: impl FnMut(Tick)) {
    while !load.is_over() {
        match queue.take(Instant::now() + LIMIT) {
            Some(tick) => run(tick),
            None => panic!("hangs: {:?}\n{}", reactor.stats(), reactor.dump()),
        }
    }
    load.check();
}

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

/// Behaviour 6. The reactor repeats each of these ticks, and none is harmful when it comes.
fn ticks_that_are_run_late_lose_nothing(world: &World) {
    const LATENESS: Duration = Duration::from_millis(20);
    let reactor = world.patient().rewake_after(Duration::from_millis(3)).build().unwrap();
    let (sender, ticks) = mpsc::channel();
    reactor.interleave(move |tick| _ = sender.send((Instant::now(), tick))).unwrap();
    let load = Load::start(&reactor, 100, 4);
    while !load.is_over() {
        let (posted, tick) = ticks.recv_timeout(LIMIT).expect("a tick comes");
        thread::sleep((posted + LATENESS).saturating_duration_since(Instant::now()));
        tick.run();
    }
    load.check();
    assert!(reactor.stats().wakes_repeated > 0, "{:?}", reactor.stats());
}

/// Behaviour 6.
fn ticks_that_are_run_twice_lose_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let queue = Queue::default();
    let posted = queue.clone();
    reactor.interleave(move |tick| posted.post(tick)).unwrap();
    let load = Load::start(&reactor, 100, 20);
    serve(&reactor, &load, &queue, |tick| {
        tick.run();
        reactor.turn();
    });
}

/// Behaviour 6, for a host whose message is one word.
fn ticks_that_are_run_twice_by_number_lose_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let (sender, words) = mpsc::channel();
    reactor.interleave(move |tick| _ = sender.send(tick.into_raw())).unwrap();
    let load = Load::start(&reactor, 100, 20);
    while !load.is_over() {
        let word = words.recv_timeout(LIMIT).expect("a tick comes");
        let elsewhere = thread::spawn(move || Tick::from_raw(word).is_none());
        assert!(elsewhere.join().unwrap(), "another thread has no such reactor");
        for _ in 0..2 {
            Tick::from_raw(word).expect("the reactor is here").run();
        }
    }
    load.check();
    assert_eq!(reactor.stats().wakes_failed, 0);
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

/// Behaviours 6 and 7.
fn ticks_that_are_run_on_another_thread_lose_nothing(world: &World) {
    let reported = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&reported);
    let reporter = move |report: &Report<'_>| {
        assert!(matches!(report, Report::WrongThread), "{report}");
        count.fetch_add(1, Ordering::AcqRel);
    };
    let reactor = world.patient().reporter(reporter).build().unwrap();
    let (sender, elsewhere) = mpsc::channel::<Tick>();
    let other = thread::spawn(move || elsewhere.iter().for_each(Tick::run));
    let sender = Mutex::new(sender);
    let lose = move |tick| _ = sender.lock().unwrap().send(tick);
    lossy(&reactor, |number| number < 4 || number % 3 == 0, lose);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    other.join().unwrap();
    let reported = reported.load(Ordering::Acquire);
    assert!(reported >= 4);
    // A tick that comes to the other thread when the reactor has stopped is no mistake.
    assert!(reactor.stats().wakes_failed as usize >= reported);
}

/// Behaviour 7.
fn a_tick_on_another_thread_only_reports(world: &World) {
    let (sender, reports) = mpsc::channel();
    let sender = Mutex::new(sender);
    let reporter = move |report: &Report<'_>| {
        sender.lock().unwrap().send(report.to_string()).unwrap();
    };
    let reactor = world.patient().reporter(reporter).build().unwrap();
    let host = world.host(&reactor);
    let ran = Ran::default();
    ran.call(&reactor.remote(), 0, 0);
    let tick = host.queue.take(Instant::now()).expect("the waker was called");
    thread::spawn(move || tick.run()).join().unwrap();
    assert_eq!((ran.len(), reactor.stats().turns, reactor.stats().wakes_failed), (0, 0, 1));
    assert!(reports.recv_timeout(LIMIT).unwrap().contains("not the host thread"));
    host.run_until(|| ran.len() == 1);
    assert!(reports.try_recv().is_err(), "reported once");
}

/// Behaviour 6, for a host whose message carries nothing.
fn a_detached_tick_and_a_turn_lose_nothing(world: &World) {
    let reactor = world.patient().build().unwrap();
    let (sender, messages) = mpsc::channel();
    let waker = move |tick: Tick| {
        tick.detach();
        _ = sender.send(());
    };
    reactor.interleave(waker).unwrap();
    let load = Load::start(&reactor, 100, 20);
    while !load.is_over() {
        messages.recv_timeout(LIMIT).expect("a message comes");
        reactor.turn();
    }
    load.check();
    assert_eq!((reactor.stats().wakes_failed, reactor.stats().wakes_repeated), (0, 0));
}

/// Behaviours 6 and 9.
fn a_post_that_failed_while_held_is_replayed(world: &World) {
    for round in 0..30 {
        let (watched, builder) = world.watched();
        let reactor = builder.build().unwrap();
        let host = Host::new(&reactor, world.drive);
        let (posted, ticks) = (host.queue.clone(), AtomicUsize::new(0));
        let waker = move |tick| match ticks.fetch_add(1, Ordering::AcqRel) {
            0 => drop(tick),
            _ => posted.post(tick),
        };
        let proxy = reactor.interleave(waker).unwrap();
        let before = watched.until(|seen| seen.is_waiting());
        let ran = Ran::default();
        ran.call(&reactor.remote(), 0, 0);
        proxy.hold();
        if round % 2 == 0 {
            // The worker has heard of it, waited for a while, and tried again.
            watched.until(|seen| seen.begun > before.begun + 1 && seen.is_waiting());
        }
        proxy.release().unwrap();
        host.run_until(|| ran.len() == 1);
    }
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

/// Behaviours 6 and 10: whatever is done to it.
fn a_tick_that_outlives_its_reactor_is_harmless(world: &World) {
    let reported = Arc::new(AtomicUsize::new(0));
    let mut ticks = Vec::new();
    for end in 0..2 {
        for _ in 0..3 {
            let count = Arc::clone(&reported);
            let reporter = move |_: &Report<'_>| _ = count.fetch_add(1, Ordering::AcqRel);
            let reactor = world.patient().reporter(reporter).build().unwrap();
            let host = world.host(&reactor);
            let ran = Ran::default();
            ran.call(&reactor.remote(), 0, 0);
            ticks.push(host.queue.take(Instant::now()).expect("the waker was called"));
            if end == 0 {
                assert!(reactor.finish(LIMIT).unwrap().is_clean());
            }
        }
    }
    for (number, tick) in ticks.into_iter().enumerate() {
        match number % 3 {
            0 => tick.run(),
            1 => thread::spawn(move || tick.run()).join().unwrap(),
            _ => assert!(Tick::from_raw(tick.into_raw()).is_none()),
        }
    }
    assert_eq!(reported.load(Ordering::Acquire), 0);
}
