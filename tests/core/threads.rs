//! What is on which thread: what is not `Send` never leaves that of the host.

use std::cell::RefCell;
use std::marker::PhantomData;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Barrier, Mutex};
use std::task::Waker;
use std::thread;
use std::thread::ThreadId;
use std::time::Duration;

use interloop::{Action, FinishGuard, Interest, Phase, Reactor};

use crate::cases;
use crate::world::{LIMIT, World};

cases!(
    what_is_not_send_is_dropped_on_the_host_thread,
    a_reactor_in_a_variable_of_its_thread_ends_with_it,
);

/// Must be dropped where it was made.
struct HostOnly {
    home: ThreadId,
    dropped: Arc<AtomicUsize>,
    abroad: Arc<AtomicUsize>,
    _not_send: PhantomData<Rc<()>>,
}

impl Drop for HostOnly {
    fn drop(&mut self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
        if thread::current().id() != self.home {
            self.abroad.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Behaviour 36: captured by callbacks of every kind and by futures; the last handle, and wakers of
/// the tasks, are on other threads.
fn what_is_not_send_is_dropped_on_the_host_thread(world: &World) {
    for orderly in [false, true] {
        let (dropped, abroad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let mut made = 0;
        let mut host_only = || {
            made += 1;
            HostOnly {
                home: thread::current().id(),
                dropped: Arc::clone(&dropped),
                abroad: Arc::clone(&abroad),
                _not_send: PhantomData,
            }
        };
        let reactor = world.unhurried();
        let host = world.has_host().then(|| world.host(&reactor));
        let (a, _b) = UnixStream::pair().unwrap();
        let captured = host_only();
        let source = reactor.register(a, Interest::READABLE, move |_, _| {
            let _ = &captured;
            Action::Rearm
        });
        source.unwrap().detach();
        let captured = host_only();
        reactor.after(Duration::from_secs(1000), move || drop(captured)).detach();
        for phase in [Phase::Before, Phase::During, Phase::After] {
            let captured = host_only();
            reactor.on_shutdown(phase, async move { drop(captured) }).unwrap().detach();
        }
        let wakers = Arc::new(Mutex::new(Vec::<Waker>::new()));
        for _ in 0..10 {
            let (captured, wakers) = (host_only(), Arc::clone(&wakers));
            let task = reactor.spawn_local(async move {
                let _captured = captured;
                let polled = std::future::poll_fn(|cx| {
                    wakers.lock().unwrap().push(cx.waker().clone());
                    std::task::Poll::<()>::Pending
                });
                polled.await;
            });
            task.detach();
        }
        reactor.turn();
        assert_eq!(wakers.lock().unwrap().len(), 10);
        // Wakes them while the reactor ends, and is the last to let everything go.
        let remote = reactor.remote();
        let go = Arc::new(Barrier::new(2));
        let going = Arc::clone(&go);
        let last = thread::spawn(move || {
            let wakers = wakers.lock().unwrap().split_off(0);
            going.wait();
            while !remote.is_stopped() {
                wakers.iter().for_each(Waker::wake_by_ref);
            }
            wakers.into_iter().for_each(Waker::wake);
        });
        go.wait();
        if orderly {
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        }
        drop((reactor, host));
        last.join().unwrap();
        assert_eq!(abroad.load(Ordering::Relaxed), 0, "dropped on a foreign thread");
        assert_eq!(dropped.load(Ordering::Relaxed), made, "each dropped once");
    }
}

/// The variable is registered before the first turn marks its thread, and so it is dropped after that mark.
fn a_reactor_in_a_variable_of_its_thread_ends_with_it(world: &World) {
    thread_local! {
        static APPLICATION: RefCell<Option<(FinishGuard, Reactor)>> = const { RefCell::new(None) };
    }
    let said_goodbye = Arc::new(AtomicBool::new(false));
    let (world, goodbye) = (*world, Arc::clone(&said_goodbye));
    let thread = thread::spawn(move || {
        APPLICATION.with_borrow_mut(|application| {
            let reactor = world.unhurried();
            let handle = reactor.handle();
            let trigger = async move {
                handle.sleep(Duration::from_millis(1)).await;
                goodbye.store(true, Ordering::Relaxed);
            };
            reactor.on_shutdown(Phase::Before, trigger).unwrap().detach();
            reactor.turn();
            *application = Some((reactor.finish_on_drop(LIMIT), reactor));
        });
    });
    thread.join().unwrap();
    assert!(said_goodbye.load(Ordering::Relaxed));
}
