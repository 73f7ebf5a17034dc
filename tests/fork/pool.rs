//! What runs on a thread pool in a reactor that a child has made: the threads of its parent are not there.

use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Condvar, Mutex};
use std::task::{Context, Wake, Waker};

use interloop::net::{Resolve, SystemResolver, lookup};
use interloop::{BackendKind, Reactor};

use super::{LIMIT, in_child, on_each_backend};

/// Forks while no other thread starts or ends. One that does holds a lock of the standard library, and in a child of
/// that moment no thread begins (docs/architecture.md).
fn in_quiet_child(child: impl FnOnce()) {
    while running() > 1 {
        std::thread::yield_now();
    }
    in_child(child);
}

/// How many threads of this process do not sleep, where that can be told.
fn running() -> usize {
    let Ok(threads) = std::fs::read_dir("/proc/self/task") else { return 0 };
    let sleeps = |stat: &String| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('S'));
    let stats = threads
        .flatten()
        .filter_map(|thread| std::fs::read_to_string(thread.path().join("stat")).ok());
    stats.filter(|stat| !sleeps(stat)).count()
}

/// Closures and names, and then a shutdown that waits for a closure.
fn uses_the_pool(backend: BackendKind) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    let seven = reactor.block_on(reactor.timeout(LIMIT, reactor.unblock(|| 7))).unwrap();
    assert_eq!(seven.unwrap(), 7);
    let many = [(); 50].map(|()| reactor.unblock(std::thread::yield_now));
    reactor.block_on(async { futures_lite::future::yield_now().await }).unwrap();
    reactor
        .block_on(reactor.timeout(LIMIT, async {
            for one in many {
                one.await;
            }
        }))
        .unwrap()
        .unwrap();
    let names = [(); 50].map(|()| SystemResolver.resolve("localhost", 80));
    reactor
        .block_on(reactor.timeout(LIMIT, async {
            for found in names {
                assert!(found.await.unwrap().iter().all(|address| address.ip().is_loopback()));
            }
        }))
        .unwrap()
        .unwrap();
    let found = reactor.block_on(reactor.timeout(LIMIT, lookup(&reactor, "localhost:80"))).unwrap();
    assert!(!found.unwrap().unwrap().is_empty());
    reactor.unblock(|| ()).detach();
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
}

#[test]
fn a_childs_own_reactor_has_threads() {
    on_each_backend(|backend| {
        uses_the_pool(backend);
        in_quiet_child(|| {
            uses_the_pool(backend);
            in_quiet_child(|| uses_the_pool(backend));
            uses_the_pool(backend);
        });
        uses_the_pool(backend);
    });
}

#[test]
fn a_panic_in_a_child_goes_to_who_awaits_it() {
    on_each_backend(|backend| {
        uses_the_pool(backend);
        in_quiet_child(|| {
            let reactor = Reactor::builder().backend(backend).build().unwrap();
            let fails = reactor.unblock(|| panic!("as it should"));
            let awaits = || reactor.block_on(reactor.timeout(LIMIT, fails));
            let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(awaits));
            assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "as it should");
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        });
    });
}

/// A waker that keeps the thread which wakes it until it is let go.
#[derive(Default)]
struct Keeps {
    /// How many threads are kept, and whether they may go.
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Wake for Keeps {
    fn wake(self: Arc<Self>) {
        let mut state = self.state.lock().unwrap();
        state.0 += 1;
        self.changed.notify_all();
        drop(self.changed.wait_while(state, |(_, let_go)| !*let_go).unwrap());
    }
}

#[test]
fn a_child_looks_names_up_while_all_threads_of_its_parent_do() {
    /// How many threads look names up at a time.
    const MOST: usize = 16;
    on_each_backend(|backend| {
        let keeps = Arc::new(Keeps::default());
        let waker = Waker::from(Arc::clone(&keeps));
        let mut keeping = 0;
        while keeping < MOST {
            let mut found = pin!(SystemResolver.resolve("localhost", 80));
            // One that was faster keeps nobody.
            if found.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
                let state = keeps.state.lock().unwrap();
                keeping += 1;
                let kept = |(kept, _): &mut (usize, bool)| *kept < keeping;
                assert!(
                    !keeps.changed.wait_timeout_while(state, LIMIT, kept).unwrap().1.timed_out()
                );
            }
        }
        in_quiet_child(|| uses_the_pool(backend));
        keeps.state.lock().unwrap().1 = true;
        keeps.changed.notify_all();
        uses_the_pool(backend);
    });
}
