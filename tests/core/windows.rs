//! Hosts whose waker waits until the tick has run, and what the end of a reactor does to one.

use std::cell::Cell;
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use interloop::{Action, Interest, Reactor, Tick};

use crate::cases;
use crate::finishing::{with_foreign_calls, with_goodbye};
use crate::world::{LIMIT, World};

cases!(
    ;
    interleaved:
    a_synchronous_waker_shuts_down_inside_the_host,
    a_synchronous_waker_whose_host_is_gone_does_not_hang_finish,
    a_synchronous_waker_whose_host_is_gone_does_not_hang_the_drop,
    a_synchronous_waker_whose_host_sleeps_does_not_hang_finish,
    a_synchronous_waker_whose_host_sleeps_does_not_hang_the_drop,
    finish_hears_of_calls_while_the_old_waker_is_stuck,
    the_waker_is_not_called_after_the_end,
);

/// A host whose waker blocks until the tick has run, as SendMessage does.
#[derive(Clone)]
struct Window {
    state: Arc<(Mutex<WindowState>, Condvar)>,
}

struct WindowState {
    tick: Option<Tick>,
    /// How many callers wait for their ticks.
    waiting: usize,
    gone: bool,
}

impl Window {
    fn interleave(reactor: &Reactor) -> Window {
        let state = WindowState { tick: None, waiting: 0, gone: false };
        let host = Window { state: Arc::new((Mutex::new(state), Condvar::new())) };
        let (waker, home) = (host.clone(), thread::current().id());
        let send = move |tick: Tick| {
            // A message to the own thread is run on the spot.
            if thread::current().id() == home {
                return tick.run();
            }
            waker.send(tick);
        };
        reactor.interleave(send).unwrap();
        host
    }

    fn send(&self, tick: Tick) {
        let (state, changed) = &*self.state;
        let mut state = state.lock().unwrap();
        if state.gone {
            return;
        }
        assert!(state.tick.replace(tick).is_none(), "one at a time");
        state.waiting += 1;
        changed.notify_all();
        while state.waiting > 0 && !state.gone {
            state = changed.wait(state).unwrap();
        }
        // The tick of a host that is gone is a failed post.
        let tick = state.tick.take();
        drop(state);
        drop(tick);
    }

    /// Runs ticks, each while its sender waits.
    fn run_until(&self, done: impl Fn() -> bool) {
        let (state, changed) = &*self.state;
        let limit = Instant::now() + LIMIT;
        while !done() {
            let mut locked = state.lock().unwrap();
            let tick = loop {
                if let Some(tick) = locked.tick.take() {
                    break tick;
                }
                let left = limit.saturating_duration_since(Instant::now());
                assert!(left > Duration::ZERO, "hangs");
                locked = changed.wait_timeout(locked, left).unwrap().0;
            };
            drop(locked);
            tick.run();
            state.lock().unwrap().waiting -= 1;
            changed.notify_all();
        }
    }

    /// Waits until a thread is stuck in the waker, without answering it.
    fn wait_until_stuck(&self) {
        let (state, changed) = &*self.state;
        let state = state.lock().unwrap();
        let stuck = changed.wait_timeout_while(state, LIMIT, |state| state.waiting == 0).unwrap();
        assert!(stuck.0.waiting > 0);
    }

    /// The host window is destroyed: who waits for it returns.
    fn destroy(&self) {
        self.state.0.lock().unwrap().gone = true;
        self.state.1.notify_all();
    }
}

/// Behaviour 40: the last turn runs while the worker waits for it.
fn a_synchronous_waker_shuts_down_inside_the_host(world: &World) {
    let reactor = world.reactor();
    let host = Window::interleave(&reactor);
    let said = with_goodbye(&reactor);
    reactor.stop();
    host.run_until(|| reactor.is_stopped());
    assert!(said.is_set());
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    drop(reactor);
    host.destroy();
}

/// Leaves the worker inside the waker of a host that has ended.
fn stuck(world: &World) -> (Reactor, Window, (UnixStream, Rc<Cell<u32>>)) {
    let reactor = world.reactor();
    let host = Window::interleave(&reactor);
    let (a, mut b) = UnixStream::pair().unwrap();
    let heard = Rc::new(Cell::new(0));
    let hear = Rc::clone(&heard);
    let source = reactor.register(a, Interest::READABLE, move |_, _| {
        hear.set(hear.get() + 1);
        Action::Remove
    });
    source.unwrap().detach();
    b.write_all(b"x").unwrap();
    host.wait_until_stuck();
    (reactor, host, (b, heard))
}

/// Behaviour 40: the window was destroyed before.
fn a_synchronous_waker_whose_host_is_gone_does_not_hang_finish(world: &World) {
    let (reactor, host, (_b, heard)) = stuck(world);
    host.destroy();
    let said = with_goodbye(&reactor);
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    assert!(said.is_set());
    assert_eq!(heard.get(), 1, "what had become ready was delivered");
}

/// Behaviour 40.
fn a_synchronous_waker_whose_host_is_gone_does_not_hang_the_drop(world: &World) {
    let (reactor, host, _peer) = stuck(world);
    host.destroy();
    drop(reactor);
}

/// Behaviour 40: the channel is alive and nobody reads it any more. The worker cannot end before the
/// window goes: that is told, and not waited for.
fn a_synchronous_waker_whose_host_sleeps_does_not_hang_finish(world: &World) {
    let (reactor, host, (_b, heard)) = stuck(world);
    let said = with_goodbye(&reactor);
    let finished = reactor.finish(LIMIT * 10).unwrap();
    assert_eq!(finished.abandoned.len(), 1, "{finished}");
    assert!(finished.abandoned[0].contains("worker"), "{finished}");
    assert!(said.is_set());
    assert_eq!(heard.get(), 1);
    let limit = Instant::now() + LIMIT;
    host.destroy();
    // With the window gone the worker ends.
    while !reactor.finish(LIMIT).unwrap().is_clean() {
        assert!(Instant::now() < limit);
    }
}

/// Behaviour 42.
fn a_synchronous_waker_whose_host_sleeps_does_not_hang_the_drop(world: &World) {
    let (reactor, host, _peer) = stuck(world);
    let began = Instant::now();
    drop(reactor);
    let took = began.elapsed();
    println!("{:?}: dropped in {took:?} with the worker inside the waker", world.backend);
    assert!(took < Duration::from_secs(4), "{took:?}");
    host.destroy();
}

/// Behaviour 40: what other threads wake reaches `finish` past the waker that does not return.
fn finish_hears_of_calls_while_the_old_waker_is_stuck(world: &World) {
    let (reactor, host, _peer) = stuck(world);
    let caller = with_foreign_calls(&reactor);
    let finished = reactor.finish(Duration::from_secs(20)).unwrap();
    let trigger = finished.abandoned.iter().find(|abandoned| abandoned.contains("trigger"));
    assert!(trigger.is_none(), "{finished}");
    assert_eq!(caller.join().unwrap(), 45);
    host.destroy();
}

/// Behaviour 10: by late calls, wakers of tasks, and handles.
fn the_waker_is_not_called_after_the_end(world: &World) {
    for orderly in [false, true] {
        let reactor = world.reactor();
        let over = Arc::new(AtomicBool::new(false));
        let late = Arc::new(AtomicUsize::new(0));
        let (is_over, count) = (Arc::clone(&over), Arc::clone(&late));
        let proxy = reactor.interleave(move |tick| {
            tick.detach();
            if is_over.load(Ordering::SeqCst) {
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        let remote = reactor.remote();
        let callers: Vec<_> = (0..2)
            .map(|_| {
                let remote = remote.clone();
                thread::spawn(move || while remote.call(|| ()).is_ok() {})
            })
            .collect();
        if orderly {
            assert!(reactor.finish(LIMIT).unwrap().is_clean());
        }
        let handle = reactor.handle();
        if orderly {
            over.store(true, Ordering::SeqCst)
        }
        drop(reactor);
        over.store(true, Ordering::SeqCst);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        proxy.unwrap().hold();
        remote.stop();
        handle.stop();
        handle.turn();
        assert_eq!(late.load(Ordering::SeqCst), 0);
    }
}
