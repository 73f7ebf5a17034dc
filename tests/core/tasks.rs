//! Tasks: what they give, and how they end.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::thread;
use std::time::{Duration, Instant};

use interloop::Handle;

use crate::cases;
use crate::futures::{Flag, Patient, yield_now};
use crate::world::{Host, LIMIT, World};

cases!(
    a_task_gives_its_output_to_the_one_who_awaits_it,
    a_dropped_task_is_cancelled_and_its_future_dropped_on_the_host_thread,
    a_task_that_is_cancelled_while_it_is_queued_is_not_polled,
    a_detached_task_goes_on,
    cancelling_waits_for_the_future_to_be_dropped,
    tasks_that_talk_are_dropped_with_the_reactor,
    a_task_spawns_tasks_and_awaits_them,
    a_task_drops_its_own_handle,
    a_future_whose_destructor_turns_is_dropped_once,
    an_output_goes_with_the_handle_that_is_let_go,
    a_task_of_a_stopped_reactor_is_dropped_at_once,
    sleeps_end_in_the_order_of_their_deadlines,
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
pub fn block_on<F: Future + 'static>(reactor: &Handle, host: &Host, future: F) -> F::Output {
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
