//! What wakes a task, and how often it is polled for it.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::{Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use crate::cases;
use crate::futures::{Flag, Patient};
use crate::tasks::block_on;
use crate::world::{LIMIT, World};

cases!(
    a_task_that_is_woken_often_is_polled_once,
    a_task_that_is_woken_often_by_foreign_threads_is_polled_once,
    a_task_that_is_woken_on_the_host_thread_wakes_nobody,
    a_task_that_is_woken_by_foreign_threads_runs,
    a_waker_that_outlives_the_reactor_is_silent,
    wakes_and_cancellations_that_race_with_the_drop_are_sound,
    ten_thousand_messages_of_a_channel_arrive_in_their_order;
    interleaved:
    a_task_that_is_woken_between_turns_costs_one_wake,
);

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
