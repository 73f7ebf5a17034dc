//! What threads hold that a child has not got: it takes no lock that may be theirs, and wakes nobody for them.

use std::cell::Cell;
use std::future::Future;
use std::io;
use std::ops::ControlFlow;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::Duration;

use interloop::{BackendKind, Reactor};

use super::{exit, fork, in_child, on_each_backend, wait};

/// How often a case forks beside threads that take locks. Some of the forks come while one is held.
const FORKS: u32 = 30;

/// Counts how often it is woken.
#[derive(Default)]
struct Counts(AtomicU32);

impl Wake for Counts {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_child_that_drops_the_reactor_wakes_nobody_who_waits_for_its_end() {
    on_each_backend(child_wakes_nobody);
}

fn child_wakes_nobody(backend: BackendKind) {
    let slot = Cell::new(Some(Reactor::builder().backend(backend).build().unwrap()));
    let reactor = slot.take().unwrap();
    let mut stopped = pin!(reactor.remote().stopped());
    slot.set(Some(reactor));
    let counts = Arc::new(Counts::default());
    let waker = Waker::from(Arc::clone(&counts));
    assert!(stopped.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    let woken = || counts.0.load(Ordering::Relaxed);
    in_child(|| {
        let reactor = slot.take().unwrap();
        let remote = reactor.remote();
        drop(reactor);
        assert!(remote.is_stopped());
        assert_eq!(woken(), 0);
    });
    drop(slot.take());
    assert_eq!(woken(), 1);
}

/// Drives a reactor until its callbacks have forked as often as they should. A child comes back with what it gets there.
type Drive = fn(&Reactor, Rc<Forker>) -> io::Result<()>;

const DRIVES: [Drive; 3] = [
    |reactor, forker| {
        let stop = reactor.handle();
        let forks = move || {
            if forker.forks() {
                return ControlFlow::Continue(());
            }
            stop.stop();
            ControlFlow::Break(())
        };
        reactor.every(Duration::ZERO, forks).detach();
        reactor.run()
    },
    |reactor, forker| {
        let forks = std::future::poll_fn(move |cx| {
            if !forker.forks() {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        });
        reactor.block_on(forks)
    },
    |reactor, forker| {
        let Ok(embedded) = reactor.embed() else { return Ok(()) };
        while forker.forks() {
            if forker.is_child.get() {
                drop(embedded);
                return Err(io::ErrorKind::Unsupported.into());
            }
        }
        Ok(())
    },
];

/// Forks again and again.
#[derive(Default)]
struct Forker {
    forks: Cell<u32>,
    is_child: Cell<bool>,
}

impl Forker {
    /// Forks once more, and the parent waits. False when it is enough.
    fn forks(&self) -> bool {
        if self.forks.get() == FORKS {
            return false;
        }
        self.forks.set(self.forks.get() + 1);
        match fork() {
            0 => self.is_child.set(true),
            pid => wait(pid),
        }
        true
    }
}

#[test]
fn a_child_leaves_every_drive_whatever_other_threads_hold() {
    on_each_backend(|backend| DRIVES.iter().for_each(|drive| child_leaves(backend, *drive)));
}

fn child_leaves(backend: BackendKind, drive: Drive) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let (proxy, remote, ends) = (reactor.waker_proxy(), reactor.remote(), Arc::clone(&done));
    let takes_locks = thread::spawn(move || {
        let mut cx = Context::from_waker(Waker::noop());
        while !ends.load(Ordering::Relaxed) {
            proxy.hold();
            proxy.release().unwrap();
            let _either = Pin::new(&mut remote.stopped()).poll(&mut cx);
        }
    });
    let forker = Rc::new(Forker::default());
    let ended = drive(&reactor, Rc::clone(&forker));
    if forker.is_child.get() {
        exit(|| {
            assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::Unsupported);
            drop(reactor);
        });
    }
    ended.unwrap();
    done.store(true, Ordering::Relaxed);
    takes_locks.join().unwrap();
}

#[cfg(feature = "unblock")]
#[test]
fn a_child_that_unblocks_a_closure_drops_it() {
    on_each_backend(child_unblocks);
}

#[cfg(feature = "unblock")]
fn child_unblocks(backend: BackendKind) {
    use std::sync::mpsc::{self, RecvTimeoutError};

    use super::LIMIT;

    let reactor = Reactor::builder().backend(backend).build().unwrap();
    in_child(|| {
        let (sender, heard) = mpsc::channel();
        let task = reactor.unblock(move || sender.send(()).unwrap());
        assert_eq!(heard.recv_timeout(LIMIT), Err(RecvTimeoutError::Disconnected));
        assert!(!task.is_finished());
    });
}
