//! Several reactors, on one thread and on many.

use std::cell::RefCell;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use interloop::{Action, Interest, Reactor};

use crate::cases;
use crate::finishing::with_goodbye;
use crate::shutdown::{counter, dead_host, run_until_stopped};
use crate::world::{LIMIT, World};

cases!(
    reactors_on_one_thread_do_not_disturb_each_other,
    reactors_on_ten_threads_do_not_disturb_each_other,
    a_reactor_in_a_thread_local_ends_with_its_thread,
);

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
