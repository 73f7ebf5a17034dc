//! The timer for hyper, as its types allow it to be used: its sleeps go to other threads.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::future::block_on;
use hyper::rt::{Sleep, Timer as _};
use interloop::hyper::Timer;
use interloop::{Handle, Reactor};
use interloop_ecosystem::everywhere;

const LONG: Duration = Duration::from_secs(3600);

/// Polls a sleep once, with a waker that does nothing.
fn poll(sleep: &mut Pin<Box<dyn Sleep>>) -> Poll<()> {
    sleep.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Waits on the host thread for another one, with turns meanwhile.
async fn join(handle: &Handle, thread: thread::JoinHandle<()>) {
    while !thread.is_finished() {
        handle.sleep(Duration::from_millis(1)).await;
    }
    thread.join().unwrap();
}

/// Ends when the reactor has that many timers besides the one that is waited with.
async fn timers(handle: &Handle, count: usize) {
    while handle.dump().timers.len() > count {
        handle.sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(handle.dump().timers.len(), count);
}

#[test]
fn a_sleep_ends_and_not_early() {
    everywhere(|handle| async move {
        let timer = Timer::new(&handle);
        let begin = Instant::now();
        timer.sleep(Duration::from_millis(5)).await;
        assert!(begin.elapsed() >= Duration::from_millis(5));
        timer.sleep_until(begin + Duration::from_millis(10)).await;
        assert!(begin.elapsed() >= Duration::from_millis(10));
        timer.sleep_until(begin).await;
        timer.sleep(Duration::ZERO).await;
        let mut sleep = timer.sleep(LONG);
        assert!(poll(&mut sleep).is_pending());
        timer.reset(&mut sleep, begin);
        sleep.await;
    });
}

#[test]
fn a_sleep_ends_on_another_thread() {
    everywhere(|handle| async move {
        let timer = Timer::new(&handle);
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let timer = timer.clone();
                thread::spawn(move || {
                    for millis in [0, 1, 3] {
                        let begin = Instant::now();
                        let delay = Duration::from_millis(millis);
                        block_on(timer.sleep(delay));
                        assert!(begin.elapsed() >= delay);
                    }
                })
            })
            .collect();
        for thread in threads {
            join(&handle, thread).await;
        }
    });
}

#[test]
fn a_sleep_that_moves_to_another_thread_wakes_there() {
    everywhere(|handle| async move {
        let mut sleep = Timer::new(&handle).sleep(Duration::from_millis(20));
        assert!(poll(&mut sleep).is_pending());
        join(&handle, thread::spawn(move || block_on(sleep))).await;

        let (timer, (give, take)) = (Timer::new(&handle), mpsc::channel());
        let there = thread::spawn(move || {
            let mut sleep = timer.sleep(Duration::from_millis(20));
            assert!(poll(&mut sleep).is_pending());
            give.send(sleep).unwrap();
        });
        join(&handle, there).await;
        take.recv().unwrap().await;
    });
}

#[test]
fn a_dropped_sleep_leaves_no_timer() {
    everywhere(|handle| async move {
        let before = handle.dump().timers.len();
        let timer = Timer::new(&handle);
        let mut sleep = timer.sleep(LONG);
        assert!(poll(&mut sleep).is_pending());
        assert_eq!(handle.dump().timers.len(), before + 1);
        drop(sleep);
        assert_eq!(handle.dump().timers.len(), before);
        // Set here, and dropped there.
        let mut sleep = timer.sleep(LONG);
        assert!(poll(&mut sleep).is_pending());
        join(&handle, thread::spawn(move || drop(sleep))).await;
        timers(&handle, before).await;
        // Set there, and dropped there, before and after this thread has heard of it.
        let there = thread::spawn(move || {
            for round in 0..100 {
                let mut sleep = timer.sleep(LONG);
                assert!(poll(&mut sleep).is_pending());
                if round % 2 == 0 {
                    block_on(timer.sleep(Duration::from_micros(100)));
                }
            }
        });
        join(&handle, there).await;
        timers(&handle, before).await;
    });
}

#[test]
fn a_shutdown_ends_the_sleeps_here_and_there() {
    for orderly in [true, false] {
        let reactor = Reactor::new().unwrap();
        let timer = Timer::new(&reactor);
        let mut here = timer.sleep(LONG);
        assert!(poll(&mut here).is_pending());
        let (polled, is_polled) = mpsc::channel();
        let abroad = timer.clone();
        let there = thread::spawn(move || {
            let mut sleep = abroad.sleep(LONG);
            let mut told = Some(polled);
            block_on(poll_fn(move |cx| {
                let result = sleep.as_mut().poll(cx);
                if let Some(told) = told.take() {
                    told.send(()).unwrap();
                }
                result
            }));
            // One that begins too late ends at once, as soon as the reactor is gone.
            block_on(abroad.sleep(LONG));
        });
        is_polled.recv().unwrap();
        if orderly {
            assert!(reactor.finish(LONG).unwrap().is_clean());
        }
        drop(reactor);
        there.join().unwrap();
        block_on(here);
        block_on(timer.sleep(LONG));
    }
}

#[test]
fn the_call_of_a_sleep_that_never_runs_ends_it() {
    let reactor = Reactor::new().unwrap();
    let timer = Timer::new(&reactor);
    let mut sleep = thread::spawn(move || {
        let mut sleep = timer.sleep(LONG);
        assert!(poll(&mut sleep).is_pending());
        sleep
    })
    .join()
    .unwrap();
    assert!(poll(&mut sleep).is_pending());
    drop(reactor);
    assert!(poll(&mut sleep).is_ready());
}

#[test]
fn sleeps_that_race_with_the_end_end_too() {
    for round in 0..40 {
        let reactor = Reactor::new().unwrap();
        let (began, has_begun) = mpsc::channel();
        let threads: Vec<_> = (0..4)
            .map(|_| {
                let (timer, remote, began) =
                    (Timer::new(&reactor), reactor.remote(), began.clone());
                thread::spawn(move || {
                    began.send(()).unwrap();
                    while !remote.is_stopped() {
                        // One is dropped, and one is waited for.
                        let _dropped_at_once = poll(&mut timer.sleep(LONG));
                        block_on(timer.sleep(Duration::from_micros(10)));
                    }
                    block_on(timer.sleep(LONG));
                })
            })
            .collect();
        threads.iter().for_each(|_| has_begun.recv().unwrap());
        reactor.block_on(reactor.sleep(Duration::from_millis(round % 4))).unwrap();
        if round % 2 == 0 {
            assert!(reactor.finish(LONG).unwrap().is_clean());
        }
        drop(reactor);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
    }
}
