//! Those who wait for a source, one or many.

use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};
use std::time::Duration;

use interloop::{Action, Handle, Interest, Readiness, Source, Task};

use crate::cases;
use crate::pairs::{Heard, fence, fill, pair, read, script, write};
use crate::world::World;

cases!(
    two_tasks_wait_for_the_two_directions_of_one_stream,
    a_waiter_and_a_callback_both_hear,
    every_waiter_of_one_interest_hears,
    a_wait_that_is_dropped_between_polls_loses_nothing,
    a_wait_ends_when_its_source_is_removed,
    a_wait_that_nobody_polls_any_more_does_not_keep_the_backend_busy,
    who_waits_again_inside_of_a_waker_lets_the_others_go_on,
);

/// Behaviour 14, and of the async layer 49.
fn two_tasks_wait_for_the_two_directions_of_one_stream(world: &World) {
    script(world, |reactor| {
        let (near, far) = pair();
        let near = Rc::new(reactor.source(near).unwrap());
        let far = Rc::new(reactor.source(far).unwrap());
        const BYTES: usize = 1 << 20;
        let reactor = reactor.handle();
        async move {
            let mut tasks = Vec::new();
            for (from, to) in [(&near, &far), (&far, &near)] {
                let (reading, writing) = (Rc::clone(to), Rc::clone(from));
                tasks.push(reactor.spawn_local(async move {
                    let mut left = BYTES;
                    while left > 0 {
                        match writing.get_ref().write(&vec![1; left.min(100_000)]) {
                            Ok(written) => left -= written,
                            Err(_) => drop(writing.ready(Interest::WRITABLE).await.unwrap()),
                        }
                    }
                }));
                tasks.push(reactor.spawn_local(async move {
                    let mut left = BYTES;
                    while left > 0 {
                        match reading.get_ref().read(&mut vec![0; 70_000]) {
                            Ok(got) => left -= got,
                            Err(_) => drop(reading.ready(Interest::READABLE).await.unwrap()),
                        }
                    }
                }));
            }
            for task in tasks {
                task.await;
            }
        }
    });
}

/// A task that waits for the source once.
fn wait(
    reactor: &Handle,
    source: &Rc<Source<UnixStream>>,
    interest: Interest,
) -> Task<io::Result<Readiness>> {
    let source = Rc::clone(source);
    reactor.spawn_local(async move { source.ready(interest).await })
}

/// Point 6.
fn a_waiter_and_a_callback_both_hear(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let heard = Heard::new();
            let tell = heard.clone();
            let source = reactor.register(near, Interest::READABLE, move |_, _| {
                tell.tell(());
                Action::Disarm
            });
            let source = Rc::new(source.unwrap());
            let waiter = wait(&reactor, &source, Interest::READABLE);
            fence(&reactor).await;
            write(&far, b"a");
            heard.next().await;
            assert!(waiter.await.unwrap().is_readable());
            // A wait does not arm the callback, nor the callback's arming end a wait.
            assert!(source.ready(Interest::READABLE).await.unwrap().is_readable());
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            read(source.get_ref());
            let waiter = wait(&reactor, &source, Interest::READABLE);
            source.arm(Interest::WRITABLE).unwrap();
            heard.next().await;
            fence(&reactor).await;
            assert!(!waiter.is_finished());
            write(&far, b"b");
            assert!(waiter.await.unwrap().is_readable());
        }
    });
}

/// Point 6.
fn every_waiter_of_one_interest_hears(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let source = Rc::new(reactor.source(near).unwrap());
            let waiters: Vec<_> =
                (0..10).map(|_| wait(&reactor, &source, Interest::READABLE)).collect();
            fence(&reactor).await;
            write(&far, b"a");
            for waiter in waiters {
                assert!(waiter.await.unwrap().is_readable());
            }
        }
    });
}

/// Behaviour 48 of the async layer: dropping a wait loses no readiness.
fn a_wait_that_is_dropped_between_polls_loses_nothing(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let source = Rc::new(reactor.source(near).unwrap());
            let wait = || wait(&reactor, &source, Interest::READABLE);
            // Before anything came; while it is on its way; and when it came.
            let early = wait();
            fence(&reactor).await;
            drop(early);
            let late = wait();
            fence(&reactor).await;
            write(&far, b"a");
            drop(late);
            let lives = wait();
            let polled_once = wait();
            assert!(lives.await.unwrap().is_readable());
            drop(polled_once);
            assert!(source.ready(Interest::READABLE).await.unwrap().is_readable());
            assert_eq!(read(source.get_ref()), Some(b'a'));
            let unready = wait();
            fence(&reactor).await;
            assert!(!unready.is_finished());
        }
    });
}

/// Point 6.
fn a_wait_ends_when_its_source_is_removed(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let source = reactor.register(near, Interest::READABLE, |_, _| Action::Remove);
            let source = Rc::new(source.unwrap());
            let waits = [Interest::READABLE, Interest::WRITABLE, Interest::PRIORITY].map(|what| {
                fill(source.get_ref());
                wait(&reactor, &source, what)
            });
            fence(&reactor).await;
            write(&far, b"a");
            for wait in waits {
                assert_eq!(wait.await.unwrap_err().kind(), ErrorKind::NotConnected);
            }
        }
    });
}

/// A source that is ready, and that nobody waits for any more, is not reported in every turn.
fn a_wait_that_nobody_polls_any_more_does_not_keep_the_backend_busy(world: &World) {
    script(world, |reactor| {
        let reactor: Handle = reactor.handle();
        async move {
            let (near, far) = pair();
            let source = reactor.source(near).unwrap();
            let mut wait = Box::pin(source.ready(Interest::READABLE));
            let once = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(wait.as_mut().poll(cx).is_pending())
            });
            assert!(once.await);
            write(&far, b"a");
            fence(&reactor).await;
            let before = reactor.stats();
            for _ in 0..10 {
                reactor.sleep(Duration::from_millis(1)).await;
            }
            let turns = reactor.stats().turns - before.turns;
            assert!(turns <= 100, "{turns} turns for ten sleeps");
            assert!(wait.await.unwrap().is_readable());
        }
    });
}

thread_local! {
    /// The future that `Inline` polls.
    static POLLED: RefCell<Option<Pin<Box<dyn Future<Output = ()>>>>> = RefCell::new(None);
}

/// A waker that polls in the place of waking, as some executors do.
struct Inline;

impl Wake for Inline {
    fn wake(self: Arc<Self>) {
        let Some(mut future) = POLLED.take() else { return };
        if future.as_mut().poll(&mut Context::from_waker(&Waker::from(self))).is_pending() {
            POLLED.set(Some(future));
        }
    }
}

/// Behaviour 22.
fn who_waits_again_inside_of_a_waker_lets_the_others_go_on(world: &World) {
    const FOR_EVER: u32 = 10_000;
    script(world, |reactor| {
        let (near, far) = pair();
        let near = Rc::new(reactor.source(near).unwrap());
        let reactor = reactor.handle();
        async move {
            let rounds = Rc::new(Cell::new(0));
            let (waiting, counted) = (Rc::clone(&near), Rc::clone(&rounds));
            POLLED.set(Some(Box::pin(async move {
                while counted.get() < FOR_EVER && waiting.ready(Interest::READABLE).await.is_ok() {
                    counted.set(counted.get() + 1);
                }
            })));
            Waker::from(Arc::new(Inline)).wake();
            write(&far, b"a");
            // It comes to its turn among the others.
            while rounds.get() < 3 {
                fence(&reactor).await;
            }
            assert!(rounds.get() < FOR_EVER, "nobody else came to his turn");
            POLLED.set(None);
        }
    });
}
