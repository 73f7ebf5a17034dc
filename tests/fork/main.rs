//! A forked child has the reactor's memory and descriptors, and not its worker: it gets errors, and
//! its parent goes on (behaviour 43). Forking wants a process of its own.
#![cfg(unix)]
#![allow(unsafe_code)]

#[path = "../core/forwarding.rs"]
mod forwarding;
mod handles;
#[cfg(feature = "net")]
mod layers;
mod locks;
#[cfg(feature = "net")]
mod pool;
mod shutdown;
mod turns;

use std::cell::Cell;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use interloop::{Action, BackendKind, Interest, Reactor, Remote, Source, Tick};

const LIMIT: Duration = Duration::from_secs(60);

/// Tries `case` on every backend that opens here, one at a time: the children of one must not have
/// the descriptors of another.
fn on_each_backend(case: fn(BackendKind)) {
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    for backend in BackendKind::ALL {
        if let Err(error) = Reactor::builder().backend(backend).build() {
            println!("{backend}: skipped: {error}");
            continue;
        }
        // libkqueue watches from threads that a child does not have.
        if backend == BackendKind::Kqueue && cfg!(target_os = "linux") {
            println!("{backend}: skipped: libkqueue does not survive a fork");
            continue;
        }
        println!("{backend}");
        case(backend);
    }
}

/// Forks: 0 in the child.
fn fork() -> libc::pid_t {
    // SAFETY: the child runs plain code of this process, on the one thread that it has, and exits
    // without running what belongs to the parent. The locks that other threads may hold at the
    // fork, the allocator's, are taken care of by the C library.
    let pid = unsafe { libc::fork() };
    assert!(pid >= 0, "fork: {}", io::Error::last_os_error());
    if pid == 0 {
        // One that hangs fails.
        // SAFETY: it sets the alarm of this process, which nobody else uses.
        unsafe { libc::alarm(LIMIT.as_secs() as libc::c_uint) };
    }
    pid
}

/// Ends the child, which has failed if `rest` panics.
fn exit(rest: impl FnOnce()) -> ! {
    let outcome = catch_unwind(AssertUnwindSafe(rest));
    // SAFETY: it does not return.
    unsafe { libc::_exit(i32::from(outcome.is_err())) }
}

/// Waits for a child to end.
fn wait(pid: libc::pid_t) {
    let mut status = 0;
    // SAFETY: the status is a place of its own.
    let waited = unsafe { libc::waitpid(pid, &mut status, 0) };
    assert_eq!(waited, pid);
    assert_eq!(status, 0, "the child failed");
}

/// Forks; the child runs `child` and exits, the parent waits for it.
fn in_child(child: impl FnOnce()) {
    match fork() {
        0 => exit(child),
        pid => wait(pid),
    }
}

/// A reactor that hears each byte that is sent to it.
struct Parent {
    source: Source<UnixStream>,
    heard: Rc<Cell<u32>>,
    peer: UnixStream,
    ticks: Receiver<Tick>,
    reactor: Reactor,
}

impl Parent {
    fn new(backend: BackendKind) -> Parent {
        let reactor = Reactor::builder().backend(backend).build().unwrap();
        let (queue, ticks) = mpsc::channel();
        reactor.interleave(move |tick| drop(queue.send(tick))).unwrap();
        let (a, peer) = UnixStream::pair().unwrap();
        let heard = Rc::new(Cell::new(0));
        let hear = Rc::clone(&heard);
        let source = reactor.register(a, Interest::READABLE, move |mut io, readiness| {
            assert!(!readiness.is_invalid());
            io.read_exact(&mut [0]).unwrap();
            hear.set(hear.get() + 1);
            Action::Rearm
        });
        let parent = Parent { source: source.unwrap(), heard, peer, ticks, reactor };
        parent.goes_on();
        parent
    }

    /// Events, timers, calls and new registrations work as before.
    fn goes_on(&self) {
        for _ in 0..3 {
            let before = self.heard.get();
            (&self.peer).write_all(b"x").unwrap();
            self.run_until(|| self.heard.get() > before);
            let fired = Rc::new(Cell::new(false));
            let set = Rc::clone(&fired);
            // Earlier than what the worker sleeps for: it has to be notified.
            let timer = self.reactor.after(Duration::from_millis(1), move || set.set(true));
            self.run_until(|| fired.get());
            drop(timer);
            let (remote, calls) = (self.reactor.remote(), self.reactor.stats().calls);
            let caller = thread::spawn(move || remote.call_blocking(|| 7).unwrap());
            self.run_until(|| self.reactor.stats().calls > calls);
            assert_eq!(caller.join().unwrap(), 7);
            let (a, mut b) = UnixStream::pair().unwrap();
            let heard = Rc::new(Cell::new(false));
            let hear = Rc::clone(&heard);
            let source = self.reactor.register(a, Interest::READABLE, move |_, _| {
                hear.set(true);
                Action::Remove
            });
            b.write_all(b"x").unwrap();
            self.run_until(|| heard.get());
            drop(source);
        }
    }

    fn run_until(&self, done: impl Fn() -> bool) {
        while !done() {
            let tick = self.ticks.recv_timeout(LIMIT);
            tick.unwrap_or_else(|_| {
                panic!("hangs: {:?}\n{}", self.reactor.stats(), self.reactor.dump())
            })
            .run();
        }
    }

    fn finish(self) {
        self.goes_on();
        assert!(self.reactor.finish(LIMIT).unwrap().is_clean());
    }
}

/// What a child gets of the handle for other threads.
fn refused(remote: &Remote) {
    assert!(remote.call(|| ()).is_err());
    assert_eq!(remote.call_blocking(|| ()).unwrap_err().kind(), io::ErrorKind::Unsupported);
    remote.stop();
    assert!(!remote.stopped().wait(Duration::MAX), "at once: it does not run here");
}
