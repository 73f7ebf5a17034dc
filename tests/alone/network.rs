//! The network for tasks, where the descriptors or the threads of the whole process count.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::fs;
use std::future::{Future, poll_fn};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener as StdListener};
use std::ops::ControlFlow;
use std::os::fd::{AsRawFd, IntoRawFd, OwnedFd};
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::{Duration, Instant};

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use interloop::net::{LocalBoxFuture, Resolve, TcpListener, TcpStream, lookup};
use interloop::{Async, BackendKind};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::descriptors::Foreign;
use crate::pairs::{Heard, fence, pair, script, settled, write};
use crate::world::World;

fn descriptors() -> usize {
    fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Duplicates `io` until no descriptor is left.
fn take_all(io: &StdListener, hogs: &mut Vec<OwnedFd>) {
    while let Ok(hog) = io.try_clone() {
        hogs.push(hog.into());
    }
}

/// Behaviour 24: who waits a little after each refusal is polled no more often than that, and gets
/// the connection when descriptors are free.
pub fn a_task_that_accepts_at_the_limit_recovers(world: &World) {
    const REFUSALS: usize = 5;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let heard = Heard::new();
            let (hogs, polls) = (Rc::new(RefCell::new(None)), Rc::new(Cell::new(0)));
            let (taking, tell, count) = (Rc::clone(&hogs), heard.clone(), Rc::clone(&polls));
            let inner = reactor.clone();
            let server = reactor.spawn_local(async move {
                loop {
                    let accepted = poll_fn(|cx| {
                        count.set(count.get() + 1);
                        // All that are free, also those that a backend's library has closed meanwhile.
                        if let Some(hogs) = taking.borrow_mut().as_mut() {
                            take_all(listener.get_ref(), hogs);
                        }
                        listener.poll_accept(cx)
                    });
                    let accepted = accepted.await;
                    let failed = accepted.is_err();
                    tell.tell(accepted.map_err(|error| error.raw_os_error()));
                    if failed {
                        inner.sleep(Duration::from_millis(2)).await;
                    }
                }
            });
            fence(&reactor).await;
            let _client = std::net::TcpStream::connect(address).unwrap();
            let _first = heard.next().await.unwrap();
            settled(&reactor).await;
            let before = getrlimit(Resource::Nofile);
            let limit = Some(descriptors() as u64 + 10);
            setrlimit(Resource::Nofile, Rlimit { current: limit, maximum: before.maximum })
                .unwrap();
            let mut all = Vec::new();
            take_all(&StdListener::bind("127.0.0.1:0").unwrap(), &mut all);
            // The last one goes to a client.
            drop(all.pop());
            let second = std::net::TcpStream::connect(address).unwrap();
            hogs.replace(Some(all));
            let polled = polls.get();
            for _ in 0..REFUSALS {
                assert_eq!(heard.next().await.err(), Some(Some(libc::EMFILE)));
            }
            // One poll for each refusal, one that waited before, and one for the task's credit.
            let spent = polls.get() - polled;
            assert!(spent <= 2 * REFUSALS, "{spent} polls for {REFUSALS} refusals");
            hogs.take();
            setrlimit(Resource::Nofile, before).unwrap();
            let (mut accepted, peer) = loop {
                if let Ok(accepted) = heard.next().await {
                    break accepted;
                }
            };
            assert_eq!(peer, second.local_addr().unwrap());
            accepted.write_all(b"x").await.unwrap();
            drop(server);
        }
    });
}

/// Behaviour 24: the refusals come ever more slowly, and the connection when descriptors are free.
pub fn a_callback_is_refused_after_ever_longer_pauses(world: &World) {
    const REFUSALS: u32 = 5;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let heard = Heard::new();
            let tell = heard.clone();
            let serving = listener.on_connection(move |accepted| {
                tell.tell(accepted.map_err(|error| error.raw_os_error()));
                ControlFlow::Continue(())
            });
            let _client = std::net::TcpStream::connect(address).unwrap();
            let _first = heard.next().await.unwrap();
            settled(&reactor).await;
            let before = getrlimit(Resource::Nofile);
            let limit = Some(descriptors() as u64 + 10);
            setrlimit(Resource::Nofile, Rlimit { current: limit, maximum: before.maximum })
                .unwrap();
            let mut hogs = Vec::new();
            let hog = StdListener::bind("127.0.0.1:0").unwrap();
            take_all(&hog, &mut hogs);
            // The last one goes to a client.
            drop(hogs.pop());
            let begun = Instant::now();
            let second = std::net::TcpStream::connect(address).unwrap();
            for refusal in 0..REFUSALS {
                assert_eq!(heard.next().await.err(), Some(Some(libc::EMFILE)));
                // 10 ms, and then twice as long each time.
                let pauses = Duration::from_millis(10) * ((1 << refusal) - 1);
                assert!(begun.elapsed() >= pauses, "refusal {refusal}: {:?}", begun.elapsed());
                // Also those that a backend's library has closed meanwhile.
                take_all(&hog, &mut hogs);
            }
            drop(hogs);
            setrlimit(Resource::Nofile, before).unwrap();
            let peer = loop {
                if let Ok((_accepted, peer)) = heard.next().await {
                    break peer;
                }
            };
            assert_eq!(peer, second.local_addr().unwrap());
            drop(serving);
        }
    });
}

/// Behaviour 18: one call says so, or two when the system call was the first to.
pub fn a_callback_hears_of_a_lost_listener_and_no_more(world: &World) {
    // The others do not notice it.
    if !matches!(world.backend, BackendKind::Poll | BackendKind::Select) {
        return;
    }
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (other, other_far) = pair();
            let mut other = Async::new(&reactor, other).unwrap();
            let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
            let number = listener.get_ref().as_raw_fd();
            let heard = Heard::new();
            let tell = heard.clone();
            let serving = listener.on_connection(move |accepted| {
                let kind = accepted.map(drop).unwrap_err().kind();
                if kind == ErrorKind::BrokenPipe {
                    Foreign::open(number);
                }
                tell.tell(kind);
                ControlFlow::Continue(())
            });
            fence(&reactor).await;
            settled(&reactor).await;
            Foreign::close(number);
            // The system call looks at all the others again when something happens.
            write(&other_far, b"a");
            assert_eq!(other.read(&mut [0; 4]).await.unwrap(), 1);
            serving.await;
            let heard = heard.rest();
            assert!(matches!(heard[..], [.., ErrorKind::BrokenPipe]), "{heard:?}");
            assert!(heard.len() <= 2, "{heard:?}");
        }
    });
}

/// Behaviour 18: as soon as the backend notices (docs/backends.md), who waits hears of it, and so
/// does who comes later; all others go on.
pub fn an_object_that_was_closed_behind_our_back_is_an_error(world: &World) {
    // The others notice it when they are to wait for something new.
    let says_closed = matches!(world.backend, BackendKind::Poll | BackendKind::Select);
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (other, other_far) = pair();
            let mut other = Async::new(&reactor, other).unwrap();
            let (near, _far) = pair();
            let closed = near.into_raw_fd();
            let object = Rc::new(Async::new(&reactor, Foreign(closed)).unwrap());
            let waits = Rc::clone(&object);
            let read = reactor.spawn_local(async move {
                let read = waits.read_with(|io| Ok(rustix::io::read(io, &mut [0; 4])?));
                read.await.unwrap_err()
            });
            let waits = Rc::clone(&object);
            let readable = reactor.spawn_local(async move { waits.readable().await.unwrap_err() });
            fence(&reactor).await;
            settled(&reactor).await;
            Foreign::close(closed);
            if !says_closed {
                let full = || -> io::Result<()> { Err(ErrorKind::WouldBlock.into()) };
                let error = object.write_with(|_| full()).await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            }
            // The system call looks at all the others again when something happens.
            write(&other_far, b"a");
            assert_eq!(other.read(&mut [0; 4]).await.unwrap(), 1);
            for error in [read.await, readable.await] {
                let errno = error.raw_os_error();
                assert!(error.kind() == ErrorKind::BrokenPipe || errno == Some(libc::EBADF));
            }
            let polls = reactor.stats().polls;
            for _ in 0..20 {
                write(&other_far, b"a");
                assert_eq!(other.read(&mut [0; 4]).await.unwrap(), 1);
            }
            assert!(reactor.stats().polls - polls <= 60, "nobody spins");
            assert_eq!(object.readable().await.unwrap_err().kind(), ErrorKind::BrokenPipe);
            assert_eq!(object.writable().await.unwrap_err().kind(), ErrorKind::BrokenPipe);
        }
    });
}

/// A listener that does not answer: nobody accepts, and its line is full.
fn silent() -> (socket2::Socket, SocketAddr, Vec<socket2::Socket>) {
    let new = || {
        let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    let listener = new();
    listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let connect = |_| {
        let socket = new();
        let begun = socket.connect(&address).unwrap_err();
        assert_eq!(begun.raw_os_error(), Some(libc::EINPROGRESS));
        socket
    };
    let line = (0..8).map(connect).collect();
    (listener, address.as_socket().unwrap(), line)
}

/// A future that is polled once, and dropped.
async fn once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Behaviour 42, 53: dropped at once, and while the backend waits for it.
pub fn cancelled_connects_leave_no_descriptor(world: &World) {
    const ROUNDS: usize = 50;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (_listener, address, _line) = silent();
            fence(&reactor).await;
            settled(&reactor).await;
            let before = descriptors();
            for _ in 0..ROUNDS {
                assert!(once(TcpStream::connect(&reactor, address)).await.is_none());
                let connects = reactor.spawn_local(TcpStream::connect(&reactor, address));
                reactor.sleep(Duration::ZERO).await;
                reactor.sleep(Duration::ZERO).await;
                assert!(connects.cancel().await.is_none());
            }
            settled(&reactor).await;
            assert!(reactor.dump().sources.is_empty());
            // libkqueue closes in its own time what it had in earlier cases, and keeps a few.
            assert!(descriptors() < before + 10, "{} of {before}", descriptors());
        }
    });
}

/// Answers every name with these addresses.
struct Fixed(Vec<IpAddr>);

impl Resolve for Fixed {
    fn resolve(&self, _host: &str, port: u16) -> LocalBoxFuture<io::Result<Vec<SocketAddr>>> {
        let addresses = self.0.iter().map(|address| SocketAddr::new(*address, port)).collect();
        Box::pin(async move { Ok(addresses) })
    }
}

/// Behaviour 42, 53: those attempts that hang are closed when another one wins.
pub fn a_lost_race_of_addresses_leaves_no_descriptor(world: &World) {
    const ROUNDS: usize = 3;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (_silent, silent, _line) = silent();
            let other = Ipv4Addr::new(127, 0, 0, 2);
            let listener = TcpListener::bind(&reactor, (other, silent.port())).unwrap();
            // All but the last reach the one that does not answer.
            reactor.set_resolver(Fixed(vec![silent.ip(), silent.ip(), other.into()]));
            fence(&reactor).await;
            settled(&reactor).await;
            let before = descriptors();
            for _ in 0..ROUNDS {
                let target = ("some.name", silent.port());
                let mut near = TcpStream::connect(&reactor, target).await.unwrap();
                let (mut far, _) = listener.accept().await.unwrap();
                far.write_all(b"x").await.unwrap();
                assert_eq!(near.read(&mut [0; 4]).await.unwrap(), 1);
                assert_eq!(near.peer_addr().unwrap().ip(), other);
            }
            settled(&reactor).await;
            assert_eq!(reactor.dump().sources.len(), 1, "the listener");
            assert!(descriptors() < before + 2 * ROUNDS, "{} of {before}", descriptors());
        }
    });
}

/// How many threads of the pool there are.
fn pool_threads() -> usize {
    let tasks = fs::read_dir("/proc/self/task").unwrap();
    // One that has ended meanwhile has no name any more.
    let names = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("comm")).ok());
    names.filter(|name| name.starts_with("blocking-")).count()
}

/// Behaviour 54.
pub fn a_thousand_look_ups_take_few_threads(world: &World) {
    const MOST: usize = 16;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            // The pool keeps those of earlier cases.
            let before = pool_threads();
            let look_up = || reactor.spawn_local(lookup(&reactor, "localhost:80"));
            let tasks: Vec<_> = (0..1000).map(|_| look_up()).collect();
            let mut most = 0;
            for task in tasks {
                let addresses = task.await.unwrap();
                assert!(addresses.iter().all(|address| address.ip().is_loopback()));
                most = most.max(pool_threads());
            }
            assert!((1..=MOST.max(before)).contains(&most), "{most} threads");
        }
    });
}

/// Behaviour 11: idle means idle, for the pool too.
pub fn idle_threads_of_the_pool_end(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            reactor.unblock(|| ()).await;
            while pool_threads() > 0 {
                reactor.sleep(Duration::from_millis(20)).await;
            }
        }
    });
}
