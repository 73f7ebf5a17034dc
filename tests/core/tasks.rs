//! The executor on the host thread.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Handle, Interest};

use crate::cases;
use crate::futures::{Flag, yield_now};
use crate::pairs::{Heard, pair};
use crate::world::{Host, LIMIT, World};

cases!(
    a_task_gives_its_output_to_the_one_who_awaits_it,
    a_dropped_task_is_cancelled_and_its_future_dropped_on_the_host_thread,
    a_task_that_is_cancelled_while_it_is_queued_is_not_polled,
    a_detached_task_goes_on,
    cancelling_waits_for_the_future_to_be_dropped,
    a_panic_goes_to_the_one_who_awaits,
    a_panic_of_a_detached_task_comes_out_of_the_turn,
    a_panic_of_a_task_that_nobody_awaits_goes_with_its_handle,
    a_task_that_is_woken_often_is_polled_once,
    a_task_that_is_woken_often_by_foreign_threads_is_polled_once,
    a_task_that_is_woken_on_the_host_thread_wakes_nobody,
    a_task_that_is_woken_by_foreign_threads_runs,
    a_waker_that_outlives_the_reactor_is_silent,
    tasks_that_talk_are_dropped_with_the_reactor,
    a_task_that_yields_for_ever_starves_nobody,
    wakes_and_cancellations_that_race_with_the_drop_are_sound,
    ten_thousand_messages_of_a_channel_arrive_in_their_order,
    a_task_spawns_tasks_and_awaits_them,
    a_task_drops_its_own_handle,
    a_future_whose_destructor_turns_is_dropped_once,
    an_output_goes_with_the_handle_that_is_let_go,
    sleeps_end_in_the_order_of_their_deadlines,
    a_task_of_a_stopped_reactor_is_dropped_at_once,
    a_loop_around_what_ends_at_once_hangs_nothing;
    interleaved:
    a_task_that_is_woken_between_turns_costs_one_wake,
);

/// The end of one wakes the other, under the lock of what they talk through: a future that was dropped
/// inside of that wake would ask for the lock again.
fn tasks_that_talk_are_dropped_with_the_reactor(world: &World) {
    let reactor = world.unhurried();
    let _host = world.has_host().then(|| world.host(&reactor));
    for _ in 0..4 {
        let (sender, receiver) = async_channel::bounded::<()>(1);
        let (other_sender, other) = async_channel::bounded::<()>(1);
        let first = async move {
            let _sender = sender;
            let _closed = other.recv().await;
        };
        let second = async move {
            let _sender = other_sender;
            let _closed = receiver.recv().await;
        };
        reactor.spawn_local(first).detach();
        reactor.spawn_local(second).detach();
    }
    reactor.turn();
    drop(reactor);
}

/// Runs the host until `future` has ended, and gives its output.
fn block_on<F: Future + 'static>(reactor: &Handle, host: &Host, future: F) -> F::Output {
    let output = Rc::new(Cell::new(None));
    let (put, done) = (Rc::clone(&output), host.clone());
    let task = reactor.spawn_local(async move {
        put.set(Some(future.await));
        done.done();
    });
    task.detach();
    host.run();
    output.take().expect("the host ran until the task was done")
}

/// Puts down its waker and waits for `ready`.
struct Patient {
    wakers: Arc<Mutex<Vec<Waker>>>,
    ready: Arc<AtomicBool>,
    polls: Rc<Cell<u32>>,
}

impl Future for Patient {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.polls.set(self.polls.get() + 1);
        self.wakers.lock().unwrap().push(cx.waker().clone());
        if self.ready.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// The wakers, whether it is ready, and how often it was polled.
type Parts = (Arc<Mutex<Vec<Waker>>>, Arc<AtomicBool>, Rc<Cell<u32>>);

impl Patient {
    fn new() -> Patient {
        Patient { wakers: Arc::default(), ready: Arc::default(), polls: Rc::default() }
    }

    fn parts(&self) -> Parts {
        (Arc::clone(&self.wakers), Arc::clone(&self.ready), Rc::clone(&self.polls))
    }
}

/// Issue point 8.
fn a_task_gives_its_output_to_the_one_who_awaits_it(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let handle = reactor.handle();
    let task = reactor.spawn_local(async move {
        handle.sleep(Duration::from_millis(1)).await;
        Rc::new(7)
    });
    assert!(!task.is_finished());
    assert_eq!(*block_on(&reactor, &host, task), 7);
}

/// Drops tell on which thread.
struct Tells(Rc<RefCell<Vec<thread::ThreadId>>>);

impl Drop for Tells {
    fn drop(&mut self) {
        self.0.borrow_mut().push(thread::current().id());
    }
}

/// Behaviour 46.
fn a_dropped_task_is_cancelled_and_its_future_dropped_on_the_host_thread(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let tells = Tells(Rc::clone(&dropped));
    let task = reactor.spawn_local(async move {
        let _tells = tells;
        std::future::pending::<()>().await;
    });
    let (log, handle) = (Rc::clone(&dropped), reactor.handle());
    block_on(&reactor, &host, async move {
        yield_now().await;
        drop(task);
        let limit = Instant::now() + LIMIT;
        while log.borrow().is_empty() {
            assert!(Instant::now() < limit, "it is dropped in the next turn");
            handle.sleep(Duration::ZERO).await;
            yield_now().await;
        }
    });
    assert_eq!(*dropped.borrow(), [thread::current().id()]);
}

/// Behaviour 46.
fn a_task_that_is_cancelled_while_it_is_queued_is_not_polled(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let patient = Patient::new();
    let (wakers, _, polls) = patient.parts();
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let tells = Tells(Rc::clone(&dropped));
    let task = reactor.spawn_local(async move {
        let _tells = tells;
        patient.await;
    });
    reactor.turn();
    assert_eq!(polls.get(), 1);
    // One that was never polled, too.
    let unborn = reactor.spawn_local(async { panic!("is not polled") });
    wakers.lock().unwrap()[0].wake_by_ref();
    drop((task, unborn));
    block_on(&reactor, &host, yield_now());
    assert_eq!(polls.get(), 1);
    assert_eq!(*dropped.borrow(), [thread::current().id()]);
    // Its waker is a waker of nothing.
    wakers.lock().unwrap().drain(..).for_each(Waker::wake);
}

/// Issue point 8.
fn a_detached_task_goes_on(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let (ended, waits) = (Flag::default(), Flag::default());
    let (end, wait) = (ended.clone(), waits.clone());
    let task = reactor.spawn_local(async move {
        wait.wait().await;
        end.set();
    });
    task.detach();
    block_on(&reactor, &host, async move {
        waits.set();
        ended.wait().await;
    });
}

/// Issue point 8: and gives the output of one that had ended.
fn cancelling_waits_for_the_future_to_be_dropped(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let tells = Tells(Rc::clone(&dropped));
    let never = reactor.spawn_local(async move {
        let _tells = tells;
        std::future::pending::<u32>().await
    });
    let ends = reactor.spawn_local(async { 7_u32 });
    let log = Rc::clone(&dropped);
    block_on(&reactor, &host, async move {
        yield_now().await;
        assert!(ends.is_finished() && !never.is_finished());
        assert_eq!(ends.cancel().await, Some(7));
        assert_eq!(never.cancel().await, None);
        assert_eq!(log.borrow().len(), 1);
    });
}

/// Issue point 8.
fn a_panic_goes_to_the_one_who_awaits(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let bad = reactor.spawn_local(async {
        yield_now().await;
        std::panic::panic_any("a bad task");
    });
    let mut bad = Box::pin(bad);
    let awaits =
        poll_fn(move |cx| match catch_unwind(AssertUnwindSafe(|| bad.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => panic!("it ended"),
            Err(panic) => Poll::Ready(*panic.downcast::<&str>().unwrap()),
        });
    assert_eq!(block_on(&reactor, &host, awaits), "a bad task");
}

/// Issue point 8, behaviour 20: once everything else in that turn has run.
fn a_panic_of_a_detached_task_comes_out_of_the_turn(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    reactor.spawn_local(async { std::panic::panic_any("nobody's") }).detach();
    let other = Flag::default();
    let set = other.clone();
    reactor.spawn_local(async move { set.set() }).detach();
    let panic = catch_unwind(AssertUnwindSafe(|| reactor.turn())).unwrap_err();
    assert_eq!(*panic.downcast::<&str>().unwrap(), "nobody's");
    assert!(other.is_set());
    block_on(&reactor, &host, yield_now());
}

/// Issue point 8: whoever holds the handle has the panic, even if to drop it.
fn a_panic_of_a_task_that_nobody_awaits_goes_with_its_handle(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let bad = reactor.spawn_local(async { std::panic::panic_any("kept") });
    block_on(&reactor, &host, yield_now());
    assert!(bad.is_finished());
    drop(bad);
}

/// Behaviour 46.
fn a_task_that_is_woken_often_is_polled_once(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let patient = Patient::new();
    let (wakers, ready, polls) = patient.parts();
    let task = reactor.spawn_local(patient);
    reactor.turn();
    let before = reactor.stats().polls;
    ready.store(true, Ordering::Release);
    let waker = wakers.lock().unwrap().pop().unwrap();
    for _ in 0..1000 {
        waker.wake_by_ref();
    }
    reactor.turn();
    assert!(task.is_finished());
    assert_eq!((polls.get(), reactor.stats().polls), (2, before + 1));
    drop(host);
}

/// Behaviour 46: through the inbox.
fn a_task_that_is_woken_often_by_foreign_threads_is_polled_once(world: &World) {
    let reactor = world.unhurried();
    let _host = world.host(&reactor);
    let patient = Patient::new();
    let (wakers, ready, polls) = patient.parts();
    let task = reactor.spawn_local(patient);
    reactor.turn();
    ready.store(true, Ordering::Release);
    let waker = wakers.lock().unwrap().pop().unwrap();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..1000).for_each(|_| waker.wake_by_ref()));
        }
    });
    reactor.turn();
    assert!(task.is_finished());
    assert_eq!(polls.get(), 2);
}

/// Issue point 8: in a turn it is one more thing that the turn does.
fn a_task_that_is_woken_on_the_host_thread_wakes_nobody(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let (flag, handle) = (Flag::default(), reactor.handle());
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (put, wait) = (Rc::clone(&seen), flag.clone());
    let task = reactor.spawn_local(async move {
        wait.wait().await;
        let stats = handle.stats();
        put.borrow_mut().push((stats.turns, stats.wakes_requested, stats.interrupts));
    });
    let (put, handle) = (Rc::clone(&seen), reactor.handle());
    let timer = reactor.after(Duration::from_millis(5), move || {
        let stats = handle.stats();
        put.borrow_mut().push((stats.turns, stats.wakes_requested, stats.interrupts));
        flag.set();
    });
    block_on(&reactor, &host, task);
    let seen = seen.borrow();
    assert_eq!(seen[0].0, seen[1].0, "in the same turn");
    assert_eq!(seen[0].1, seen[1].1, "nobody is woken");
    // The watch over a callback that leaves something behind may cost the worker an interrupt.
    assert!(seen[1].2 <= seen[0].2 + 1);
    drop(timer);
}

/// Issue point 8.
fn a_task_that_is_woken_between_turns_costs_one_wake(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let flags: Vec<Flag> = (0..10).map(|_| Flag::default()).collect();
    let ended = Rc::new(Cell::new(0));
    for flag in &flags {
        let (flag, ended) = (flag.clone(), Rc::clone(&ended));
        let task = reactor.spawn_local(async move {
            flag.wait().await;
            ended.set(ended.get() + 1);
        });
        task.detach();
    }
    let tick = host.queue.take(Instant::now() + LIMIT).unwrap();
    tick.run();
    let before = reactor.stats();
    assert_eq!(host.queue.len(), 0);
    flags.iter().for_each(Flag::set);
    assert_eq!(reactor.stats().wakes_issued, before.wakes_issued + 1);
    assert_eq!(host.queue.len(), 1);
    host.run_until(|| ended.get() == 10);
    assert_eq!(reactor.stats().wakes_issued, before.wakes_issued + 1);
}

/// Issue point 8.
fn a_task_that_is_woken_by_foreign_threads_runs(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let patients: Vec<Patient> = (0..50).map(|_| Patient::new()).collect();
    let threads: Vec<_> = patients
        .iter()
        .map(|patient| {
            let (wakers, ready, _) = patient.parts();
            thread::spawn(move || {
                let limit = Instant::now() + LIMIT;
                let waker = loop {
                    if let Some(waker) = wakers.lock().unwrap().pop() {
                        break waker;
                    }
                    assert!(Instant::now() < limit);
                    thread::yield_now();
                };
                ready.store(true, Ordering::Release);
                waker.wake();
            })
        })
        .collect();
    let tasks: Vec<_> = patients.into_iter().map(|patient| reactor.spawn_local(patient)).collect();
    block_on(&reactor, &host, async move {
        for task in tasks {
            task.await;
        }
    });
    threads.into_iter().for_each(|thread| thread.join().unwrap());
}

/// Behaviour 47: on another thread, for tasks that had ended, that waited, and that were queued.
fn a_waker_that_outlives_the_reactor_is_silent(world: &World) {
    for orderly in [false, true] {
        let reactor = world.unhurried();
        let host = world.has_host().then(|| world.host(&reactor));
        let patients: Vec<Patient> = (0..3).map(|_| Patient::new()).collect();
        let parts: Vec<_> = patients.iter().map(Patient::parts).collect();
        for patient in patients {
            reactor.spawn_local(patient).detach();
        }
        reactor.turn();
        parts[0].1.store(true, Ordering::Release);
        parts[0].0.lock().unwrap()[0].wake_by_ref();
        reactor.turn();
        assert_eq!(parts[0].2.get(), 2);
        parts[2].0.lock().unwrap()[0].wake_by_ref();
        if orderly {
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        }
        let handle = reactor.handle();
        drop(reactor);
        let before = handle.stats();
        let wakers: Vec<Waker> =
            parts.iter().flat_map(|(wakers, ..)| wakers.lock().unwrap().split_off(0)).collect();
        let abroad = wakers.clone();
        thread::spawn(move || {
            abroad.iter().for_each(Waker::wake_by_ref);
            abroad.iter().for_each(|waker| assert!(waker.will_wake(&waker.clone())));
            abroad.into_iter().for_each(Waker::wake);
        })
        .join()
        .unwrap();
        wakers.into_iter().for_each(Waker::wake);
        let after = handle.stats();
        assert_eq!(before.wakes_issued, after.wakes_issued);
        assert_eq!(before.polls, after.polls);
        drop(host);
    }
}

/// Behaviour 57, 22.
fn a_task_that_yields_for_ever_starves_nobody(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let yields = Rc::new(Cell::new(0_u64));
    let count = Rc::clone(&yields);
    let busy = reactor.spawn_local(async move {
        loop {
            count.set(count.get() + 1);
            yield_now().await;
        }
    });
    // Two that wake each other never leave the queue empty: the budget ends the turn.
    let (ping, pong) = (Heard::new(), Heard::new());
    ping.tell(());
    let players = [(ping.clone(), pong.clone()), (pong, ping)].map(|(mine, other)| {
        reactor.spawn_local(async move {
            loop {
                mine.next().await;
                other.tell(());
            }
        })
    });
    const ROUNDS: u64 = 20;
    let (a, b) = UnixStream::pair().unwrap();
    let (events, timers, calls) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)), Arc::default());
    let got = Rc::clone(&events);
    let echo = reactor.register(a, Interest::READABLE, move |mut io, _| {
        io.read_exact(&mut [0]).unwrap();
        got.set(got.get() + 1);
        Action::Rearm
    });
    let fired = Rc::clone(&timers);
    let timer = reactor.every(Duration::from_millis(1), move || {
        fired.set(fired.get() + 1);
        (&b).write_all(b"x").unwrap();
        ControlFlow::Continue(())
    });
    let ran: Arc<AtomicU64> = Arc::clone(&calls);
    let remote = reactor.remote();
    let caller = thread::spawn(move || {
        for _ in 0..ROUNDS {
            let ran = Arc::clone(&ran);
            let call = move || {
                ran.fetch_add(1, Ordering::Relaxed);
            };
            remote.call_blocking(call).unwrap();
        }
    });
    let done = host.clone();
    let all = reactor.every(Duration::from_millis(1), move || {
        let calls = calls.load(Ordering::Relaxed);
        if events.get() >= ROUNDS && timers.get() >= ROUNDS && calls >= ROUNDS {
            done.done();
        }
        ControlFlow::Continue(())
    });
    let began = reactor.stats().turns;
    host.run();
    caller.join().unwrap();
    assert!(yields.get() > ROUNDS / 4);
    let stats = reactor.stats();
    assert!(stats.turns - began > ROUNDS, "the host has its say between the turns");
    assert!(yields.get() <= stats.turns - began + 1, "a yield is as long as a turn");
    assert!(stats.budget_hits > ROUNDS / 4);
    drop((busy, players, echo, timer, all));
}

/// Behaviour 46, 47, 36: from four threads, with and without an orderly end.
fn wakes_and_cancellations_that_race_with_the_drop_are_sound(world: &World) {
    for round in 0..10 {
        let reactor = world.reactor();
        let host = world.has_host().then(|| world.host(&reactor));
        let wakers: Arc<Mutex<Vec<Waker>>> = Arc::default();
        let (home, abroad) = (thread::current().id(), Arc::new(AtomicUsize::new(0)));
        let alive = Arc::new(());
        struct Home(thread::ThreadId, Arc<AtomicUsize>, #[expect(dead_code)] Arc<()>);
        impl Drop for Home {
            fn drop(&mut self) {
                self.1.fetch_add(usize::from(thread::current().id() != self.0), Ordering::Relaxed);
            }
        }
        let mut tasks: Vec<_> = (0..40)
            .map(|_| {
                let tells = Home(home, Arc::clone(&abroad), Arc::clone(&alive));
                let wakers = Arc::clone(&wakers);
                reactor.spawn_local(async move {
                    let _tells = tells;
                    poll_fn(|cx| {
                        wakers.lock().unwrap().push(cx.waker().clone());
                        Poll::<()>::Pending
                    })
                    .await;
                })
            })
            .collect();
        reactor.turn();
        let begin = Arc::new(Barrier::new(5));
        let storm: Vec<_> = (0..4)
            .map(|_| {
                let (begin, wakers) = (Arc::clone(&begin), Arc::clone(&wakers));
                let remote = reactor.remote();
                thread::spawn(move || {
                    let mine: Vec<Waker> = wakers.lock().unwrap().clone();
                    begin.wait();
                    while !remote.is_stopped() {
                        mine.iter().for_each(Waker::wake_by_ref);
                    }
                    mine.into_iter().for_each(Waker::wake);
                })
            })
            .collect();
        begin.wait();
        for _ in 0..round {
            drop(tasks.pop());
            reactor.turn();
            wakers.lock().unwrap().clear();
        }
        if round % 2 == 0 {
            drop(tasks);
            drop(reactor);
        } else {
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
            drop(reactor);
            drop(tasks);
        }
        storm.into_iter().for_each(|thread| thread.join().unwrap());
        assert_eq!(abroad.load(Ordering::Relaxed), 0);
        assert_eq!(Arc::strong_count(&alive), 1, "each future is dropped");
        drop(host);
    }
}

/// The plainest channel there is: a queue and the waker of the one who receives.
#[derive(Default)]
struct Channel {
    queue: Mutex<(VecDeque<u32>, Option<Waker>)>,
}

impl Channel {
    fn send(&self, message: u32) {
        let mut queue = self.queue.lock().unwrap();
        queue.0.push_back(message);
        let waker = queue.1.take();
        drop(queue);
        waker.into_iter().for_each(Waker::wake);
    }

    async fn receive(&self) -> u32 {
        poll_fn(|cx| {
            let mut queue = self.queue.lock().unwrap();
            if let Some(message) = queue.0.pop_front() {
                return Poll::Ready(message);
            }
            queue.1 = Some(cx.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// Behaviour 58, with a channel that needs no crate.
fn ten_thousand_messages_of_a_channel_arrive_in_their_order(world: &World) {
    const MESSAGES: u32 = 10_000;
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let channel = Arc::new(Channel::default());
    let sender = Arc::clone(&channel);
    let thread = thread::spawn(move || (0..MESSAGES).for_each(|message| sender.send(message)));
    block_on(&reactor, &host, async move {
        for expected in 0..MESSAGES {
            assert_eq!(channel.receive().await, expected);
        }
    });
    thread.join().unwrap();
}

/// Issue point 8.
fn a_task_spawns_tasks_and_awaits_them(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let handle = reactor.handle();
    let sum = block_on(&reactor, &host, async move {
        let tasks: Vec<_> = (0..100_u32)
            .map(|number| {
                handle.spawn_local(async move {
                    yield_now().await;
                    number
                })
            })
            .collect();
        let mut sum = 0;
        for task in tasks {
            sum += task.await;
        }
        sum
    });
    assert_eq!(sum, 4950);
    assert!(reactor.dump().tasks.len() <= 1);
}

/// Behaviour 46: while it is being polled; its future goes when the poll ends.
fn a_task_drops_its_own_handle(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let slot = Rc::new(RefCell::new(None));
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let (own, tells) = (Rc::clone(&slot), Tells(Rc::clone(&dropped)));
    let after = Rc::new(Cell::new(false));
    let mark = Rc::clone(&after);
    let task = reactor.spawn_local(async move {
        let _tells = tells;
        drop(own.take());
        yield_now().await;
        mark.set(true);
    });
    slot.replace(Some(task));
    block_on(&reactor, &host, async {
        yield_now().await;
        yield_now().await;
    });
    assert_eq!(dropped.borrow().len(), 1);
    assert!(!after.get(), "it is not polled again");
}

/// Issue point 8, behaviour 27.
fn sleeps_end_in_the_order_of_their_deadlines(world: &World) {
    let reactor = world.unhurried();
    let host = world.host(&reactor);
    let order = Rc::new(RefCell::new(Vec::new()));
    let (log, handle) = (Rc::clone(&order), reactor.handle());
    block_on(&reactor, &host, async move {
        // Far enough away for all of them to be polled before the first has ended.
        let tasks: Vec<_> = [208, 202, 206, 204]
            .into_iter()
            .map(|millis| {
                let delay = Duration::from_millis(millis);
                // The deadline lies between these two, however slow the machine.
                let earliest = Instant::now() + delay;
                let sleep = handle.sleep(delay);
                let latest = Instant::now() + delay;
                let log = Rc::clone(&log);
                handle.spawn_local(async move {
                    sleep.await;
                    assert!(Instant::now() >= earliest, "never early");
                    log.borrow_mut().push((earliest, latest));
                })
            })
            .collect();
        // Dropped, and never waited for.
        drop(handle.sleep(Duration::MAX));
        for task in tasks {
            task.await;
        }
    });
    let order = order.borrow();
    assert_eq!(order.len(), 4);
    for (at, (earliest, _)) in order.iter().enumerate() {
        assert!(order[at..].iter().all(|(_, latest)| earliest <= latest), "{order:?}");
    }
}

/// Behaviour 36, 47.
fn a_task_of_a_stopped_reactor_is_dropped_at_once(world: &World) {
    let reactor = world.unhurried();
    if world.has_host() {
        drop(world.host(&reactor));
    }
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    let dropped = Rc::new(RefCell::new(Vec::new()));
    let tells = Tells(Rc::clone(&dropped));
    let task = reactor.spawn_local(async move { drop(tells) });
    assert!(task.is_finished());
    assert_eq!(dropped.borrow().len(), 1);
}

// Once sources and timers have closed, waits end at once: who ignores that must still let the
// shutdown come to the cancelling of tasks.
fn a_loop_around_what_ends_at_once_hangs_nothing(world: &World) {
    let reactor = world.reactor();
    let _host = world.host(&reactor);
    let (near, _far) = pair();
    let source = reactor.source(near).unwrap();
    let loops = [
        reactor.spawn_local(async move {
            loop {
                let _ended = source.ready(Interest::READABLE).await;
            }
        }),
        reactor.spawn_local({
            let reactor = reactor.handle();
            async move {
                loop {
                    reactor.sleep(Duration::from_millis(1)).await;
                }
            }
        }),
        reactor.spawn_local({
            let reactor = reactor.handle();
            async move {
                loop {
                    reactor.sleep(Duration::ZERO).await;
                }
            }
        }),
    ];
    let finished = reactor.finish(LIMIT).unwrap();
    assert!(finished.is_clean(), "{finished}");
    drop(loops);
}

/// As the dialog does that a destructor opens, at the end of a reactor too.
fn a_future_whose_destructor_turns_is_dropped_once(world: &World) {
    struct Turns(Handle, Rc<Cell<u32>>);
    impl Drop for Turns {
        fn drop(&mut self) {
            self.1.set(self.1.get() + 1);
            self.0.turn();
        }
    }
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let dropped = Rc::new(Cell::new(0));
    let turns = Turns(reactor.handle(), Rc::clone(&dropped));
    let sleeps = reactor.spawn_local(async move {
        turns.0.sleep(LIMIT).await;
        drop(turns);
    });
    let done = host.clone();
    let timer = reactor.after(Duration::from_millis(1), move || done.done());
    host.run();
    let finished = reactor.finish(LIMIT).unwrap();
    assert!(finished.is_clean(), "{finished}");
    assert_eq!(dropped.get(), 1);
    drop((sleeps, timer));
}

/// The awaiter lets the task go when it hears that it has ended.
fn an_output_goes_with_the_handle_that_is_let_go(world: &World) {
    struct LetsGo;
    thread_local! {
        static ENDED: RefCell<Option<interloop::Task<Panics>>> = const { RefCell::new(None) };
    }
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            if !thread::panicking() {
                panic!("the output's destructor");
            }
        }
    }
    impl std::task::Wake for LetsGo {
        fn wake(self: Arc<Self>) {
            if let Some(task) = ENDED.take() {
                task.detach();
            }
        }
    }
    // To print a panic may take longer than a turn has.
    let reactor = world.patient().build().unwrap();
    let host = world.host(&reactor);
    let mut task = reactor.spawn_local(async { Panics });
    let waker = Waker::from(Arc::new(LetsGo));
    assert!(Pin::new(&mut task).poll(&mut Context::from_waker(&waker)).is_pending());
    ENDED.set(Some(task));
    let ran = Rc::new(Cell::new(false));
    let (set, done) = (Rc::clone(&ran), host.clone());
    let behind = reactor.spawn_local(async move {
        set.set(true);
        done.done();
    });
    let panic = catch_unwind(AssertUnwindSafe(|| host.run())).unwrap_err();
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"the output's destructor"));
    assert!(ran.get(), "the panic comes when all else in the turn has run");
    drop(behind);
}
