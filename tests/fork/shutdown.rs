//! A shutdown in which user code forks: it is the parent's, and the child carries none of it out.

use std::any::Any;
use std::cell::Cell;
use std::future::pending;
use std::io;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use interloop::{Action, BackendKind, Interest, Phase, Reactor, Remote};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{LIMIT, exit, fork, on_each_backend, wait};

/// Forks once.
#[derive(Clone)]
struct Forks {
    /// The child, which is 0 in the child itself, or negative before. Written and read on the host thread; an
    /// atomic, because a call carries it.
    pid: Arc<AtomicI32>,
}

impl Forks {
    fn new() -> Forks {
        Forks { pid: Arc::new(AtomicI32::new(-1)) }
    }

    fn fork(&self) {
        self.pid.store(fork(), Ordering::Relaxed);
    }

    fn is_child(&self) -> bool {
        self.pid.load(Ordering::Relaxed) == 0
    }

    /// Waits for the child.
    fn wait(&self) {
        let pid = self.pid.load(Ordering::Relaxed);
        assert!(pid > 0, "it has forked");
        wait(pid);
    }
}

/// Runs a reactor until it has stopped. A child that comes back from there exits with what the last argument
/// finds.
type Host = fn(&Reactor, &Forks, &dyn Fn());

const HOSTS: [Host; 4] = [
    |reactor, forks, check| {
        let (queue, ticks) = mpsc::channel();
        reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
        while !reactor.is_stopped() {
            ticks.recv_timeout(LIMIT).expect("hangs").run();
            if forks.is_child() {
                exit(check);
            }
        }
    },
    |reactor, forks, check| {
        let Ok(embedded) = reactor.embed() else {
            println!("  no descriptor to embed: it runs by itself");
            return ended(reactor.run(), forks, check);
        };
        let limit = Timespec::try_from(LIMIT).unwrap();
        while !reactor.is_stopped() {
            assert_eq!(poll(&mut [PollFd::new(&embedded, PollFlags::IN)], Some(&limit)), Ok(1));
            let goes_on = embedded.turn();
            if forks.is_child() {
                exit(|| {
                    assert!(!goes_on, "a host in the child would turn for ever");
                    check();
                });
            }
        }
    },
    |reactor, forks, check| ended(reactor.run(), forks, check),
    |reactor, forks, check| {
        let finished = reactor.finish(LIMIT).map(|finished| assert!(finished.is_clean()));
        ended(finished, forks, check);
    },
];

fn ended(ended: io::Result<()>, forks: &Forks, check: &dyn Fn()) {
    if forks.is_child() {
        exit(|| {
            assert_eq!(ended.unwrap_err().kind(), io::ErrorKind::Unsupported);
            check();
        });
    }
    ended.unwrap();
}

/// Counts itself when it is dropped.
struct Gone(Rc<Cell<u32>>);

impl Drop for Gone {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

/// Posts a call that counts itself.
fn post(remote: &Remote, ran: &Arc<AtomicU32>) {
    let ran = Arc::clone(ran);
    remote.call(move || _ = ran.fetch_add(1, Ordering::Relaxed)).unwrap();
}

/// Has the shutdown come to where the callback forks.
type Begin = fn(&Reactor, Box<dyn FnOnce()>);

const BEGINNINGS: [Begin; 2] = [
    |reactor, forks| {
        let stop = reactor.handle();
        let stops = move || {
            stop.stop();
            forks();
        };
        reactor.after(Duration::ZERO, stops).detach();
    },
    |reactor, forks| {
        reactor.on_shutdown(Phase::Before, async move { forks() }).unwrap().detach();
        reactor.stop();
    },
];

#[test]
fn a_child_of_a_callback_leaves_the_shutdown_to_its_parent() {
    on_each_backend(|backend| {
        for begin in BEGINNINGS {
            HOSTS.iter().for_each(|host| child_leaves_the_shutdown(backend, begin, *host));
        }
    });
}

fn child_leaves_the_shutdown(backend: BackendKind, begin: Begin, host: Host) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    let gone = Rc::new(Cell::new(0));
    let (in_task, in_timer, in_source) =
        (Gone(Rc::clone(&gone)), Gone(Rc::clone(&gone)), Gone(Rc::clone(&gone)));
    let task = async move {
        let _held = in_task;
        pending::<()>().await;
    };
    reactor.spawn_local(task).detach();
    reactor.at(Instant::now() + 2 * LIMIT, move || drop(in_timer)).detach();
    let (near, _far) = UnixStream::pair().unwrap();
    let callback = move |_: &UnixStream, _| {
        let _held = &in_source;
        Action::Rearm
    };
    reactor.register(near, Interest::READABLE, callback).unwrap().detach();
    let (forks, ran) = (Forks::new(), Arc::default());
    let (inner, posted, remote) = (forks.clone(), Arc::clone(&ran), reactor.remote());
    begin(
        &reactor,
        Box::new(move || {
            post(&remote, &posted);
            inner.fork();
        }),
    );
    let seen = || (ran.load(Ordering::Relaxed), gone.get());
    host(&reactor, &forks, &|| assert_eq!(seen(), (0, 0), "calls that ran, and what was closed"));
    forks.wait();
    assert_eq!(seen(), (1, 3));
}

#[test]
fn a_child_of_a_call_of_the_end_leaves_the_others_to_its_parent() {
    on_each_backend(|backend| {
        HOSTS.iter().for_each(|host| child_of_a_last_call(backend, *host));
    });
}

fn child_of_a_last_call(backend: BackendKind, host: Host) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    let (forks, ran) = (Forks::new(), Arc::default());
    let (inner, posted, remote) = (forks.clone(), Arc::clone(&ran), reactor.remote());
    let posts = async move {
        remote.call(move || inner.fork()).unwrap();
        post(&remote, &posted);
    };
    reactor.on_shutdown(Phase::After, posts).unwrap().detach();
    reactor.stop();
    let seen = || ran.load(Ordering::Relaxed);
    host(&reactor, &forks, &|| assert_eq!(seen(), 0, "calls that ran"));
    forks.wait();
    assert_eq!(seen(), 1);
}

#[test]
fn a_child_of_a_destructor_leaves_the_tasks_to_its_parent() {
    on_each_backend(child_of_a_destructor);
}

/// Forks when it is dropped.
struct ForksAtTheEnd(Forks);

impl Drop for ForksAtTheEnd {
    fn drop(&mut self) {
        self.0.fork();
    }
}

fn child_of_a_destructor(backend: BackendKind) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    let (queue, _ticks) = mpsc::channel();
    reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
    let gone = Rc::new(Cell::new(0));
    let held = Gone(Rc::clone(&gone));
    let task = async move {
        let _held = held;
        pending::<()>().await;
    };
    reactor.spawn_local(task).detach();
    let forks = Forks::new();
    let held = ForksAtTheEnd(forks.clone());
    reactor.remote().call(move || drop(held)).unwrap();
    drop(reactor);
    if forks.is_child() {
        exit(|| assert_eq!(gone.get(), 0, "futures that were dropped"));
    }
    forks.wait();
    assert_eq!(gone.get(), 1);
}

/// Has a reactor hold something until it is closed.
type Hold = fn(&Reactor, Box<dyn Any>);

const HOLDS: [Hold; 3] = [
    |reactor, held| {
        let task = async move {
            let _held = held;
            pending::<()>().await;
        };
        reactor.spawn_local(task).detach();
    },
    |reactor, held| {
        reactor.at(Instant::now() + 2 * LIMIT, move || drop(held)).detach();
    },
    |reactor, held| {
        let (near, far) = UnixStream::pair().unwrap();
        let callback = move |_: &UnixStream, _| {
            let _held = (&held, &far);
            Action::Rearm
        };
        reactor.register(near, Interest::READABLE, callback).unwrap().detach();
    },
];

#[test]
fn a_child_of_what_is_closed_leaves_the_others_to_its_parent() {
    on_each_backend(|backend| {
        for hold in HOLDS {
            HOSTS.iter().for_each(|host| child_of_what_is_closed(backend, hold, *host));
        }
    });
}

fn child_of_what_is_closed(backend: BackendKind, hold: Hold, host: Host) {
    let reactor = Reactor::builder().backend(backend).build().unwrap();
    let (gone, forks) = (Rc::new(Cell::new(0)), Forks::new());
    // One comes before the fork at the most, in whatever order they are closed.
    hold(&reactor, Box::new(Gone(Rc::clone(&gone))));
    hold(&reactor, Box::new(ForksAtTheEnd(forks.clone())));
    hold(&reactor, Box::new(Gone(Rc::clone(&gone))));
    reactor.stop();
    host(&reactor, &forks, &|| assert!(gone.get() < 2, "the child has closed them all"));
    forks.wait();
    assert_eq!(gone.get(), 2);
}
