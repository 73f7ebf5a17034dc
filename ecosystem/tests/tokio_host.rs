//! A tokio runtime as the host: its thread runs the ticks, between its own tasks.

use std::cell::Cell;
use std::rc::Rc;
use std::thread;
use std::time::Duration;

use interloop::{Handle, Reactor, Tick};
use interloop_ecosystem::{Home, LIMIT, worlds};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{sleep, timeout};

/// Runs a test as a task of a reactor that tokio hosts, on every backend that opens here.
fn hosted<F: Future<Output = ()> + 'static>(test: impl Fn(Handle) -> F) {
    let mut backends: Vec<_> = worlds().into_iter().map(|world| world.backend).collect();
    backends.dedup();
    for backend in backends {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let reactor = Reactor::builder().backend(backend).build().unwrap();
            let (queue, mut ticks) = mpsc::unbounded_channel::<Tick>();
            reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
            let (handle, test) = (reactor.handle(), test(reactor.handle()));
            let task = reactor.spawn_local(async move {
                test.await;
                handle.stop();
            });
            task.detach();
            // The reactor drops the queue's sender when it has stopped.
            while let Some(tick) = timeout(LIMIT, ticks.recv()).await.expect("it hangs") {
                tick.run();
            }
            assert!(reactor.is_stopped());
        });
    }
}

#[test]
fn a_future_uses_the_timers_of_the_runtime_around_it() {
    hosted(|handle| async move {
        let home = Home::here();
        let task = handle.spawn_tokio(async move {
            sleep(Duration::from_millis(5)).await;
            home.check();
            // It runs on the runtime's only thread, which is this one.
            tokio::spawn(async move { home.check() }).await.unwrap();
        });
        task.await;
    });
}

#[test]
fn messages_go_between_tasks_of_both() {
    hosted(|handle| async move {
        const MESSAGES: u32 = 10_000;
        let (question, mut questions) = mpsc::channel::<(u32, oneshot::Sender<u32>)>(4);
        let (sum, home) = (Rc::new(Cell::new(0)), Home::here());
        let total = Rc::clone(&sum);
        let answering = handle.spawn_local(async move {
            while let Some((number, answer)) = questions.recv().await {
                home.check();
                total.set(total.get() + number);
                answer.send(number).unwrap();
            }
        });
        let asking = handle.spawn_tokio(async move {
            let asking = tokio::spawn(async move {
                for number in 0..MESSAGES {
                    let (answer, answered) = oneshot::channel();
                    question.send((number, answer)).await.unwrap();
                    assert_eq!(answered.await, Ok(number));
                }
            });
            asking.await.unwrap();
        });
        asking.await;
        answering.await;
        assert_eq!(sum.get(), (0..MESSAGES).sum());
    });
}

#[test]
fn a_thread_of_its_own_serves_who_is_outside_of_a_runtime() {
    let home = Home::here();
    let reactor = Reactor::new().unwrap();
    let task = reactor.spawn_tokio(async move {
        sleep(Duration::from_millis(5)).await;
        home.check();
        tokio::spawn(async { thread::current().name().map(str::to_owned) }).await.unwrap()
    });
    let name = reactor.block_on(task).unwrap();
    assert_eq!(name.as_deref(), Some("async-compat/tokio-1"));
}

/// Notes whether it was dropped in tokio's context.
struct Guard {
    home: Home,
    in_context: Rc<Cell<bool>>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.home.check();
        self.in_context.set(tokio::runtime::Handle::try_current().is_ok());
    }
}

#[test]
fn a_cancelled_future_is_dropped_in_the_context_on_the_host_thread() {
    for stopped in [false, true] {
        let reactor = Reactor::new().unwrap();
        let in_context = Rc::new(Cell::new(false));
        let guard = Guard { home: Home::here(), in_context: Rc::clone(&in_context) };
        let task = reactor.spawn_tokio(async move {
            let _guard = guard;
            sleep(Duration::from_secs(3600)).await;
        });
        reactor.turn();
        if stopped {
            task.detach();
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        } else {
            drop(task);
            reactor.turn();
        }
        assert!(in_context.get());
    }
}
