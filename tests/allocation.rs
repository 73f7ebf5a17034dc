//! The event path does not allocate: no thread does, in 10,000 turns of a warm reactor.
//!
//! The only test of its program, for what is counted is the whole process.
#![allow(unsafe_code)]
#![cfg(unix)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use interloop::{Action, BackendKind, Builder, Interest, Reactor, Source, Tick};
use rustix::event::{PollFd, PollFlags, poll};

/// Generous: these machines are shared.
const LIMIT: Duration = Duration::from_secs(120);
/// A patience that does not run out: what a watch over the host costs is another matter.
const NEVER: Duration = Duration::from_secs(3600);
const TURNS: u64 = 10_000;
/// After how many times that many turns a reactor is warm, at the latest.
const STRETCHES: u64 = 8;

struct Counting;

/// How often this process has asked for memory. Relaxed: read when all threads are quiet, or to see
/// whether it moved.
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Counting = Counting;

// SAFETY: everything is left to the system's allocator, with the arguments that came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `alloc_zeroed`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract of `realloc`.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(old, layout) }
    }
}

/// The queue of a host that does not allocate either.
#[derive(Clone)]
struct Host(Arc<(Mutex<VecDeque<Tick>>, Condvar)>);

impl Host {
    fn new() -> Host {
        Host(Arc::new((Mutex::new(VecDeque::with_capacity(64)), Condvar::new())))
    }

    fn post(&self, tick: Tick) {
        self.0.0.lock().unwrap().push_back(tick);
        self.0.1.notify_one();
    }

    fn take(&self) -> Tick {
        let limit = Instant::now() + LIMIT;
        let mut ticks = self.0.0.lock().unwrap();
        loop {
            if let Some(tick) = ticks.pop_front() {
                return tick;
            }
            let left = limit.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "hangs");
            ticks = self.0.1.wait_timeout(ticks, left).unwrap().0;
        }
    }
}

/// Two sources that send a byte to and fro, and re-arm.
fn echo(reactor: &Reactor) -> [Source<UnixStream>; 2] {
    let (client, server) = UnixStream::pair().unwrap();
    (&client).write_all(&[7]).unwrap();
    [client, server].map(|end| {
        let source = reactor.register(end, Interest::READABLE, |mut io, _| {
            let mut byte = [0];
            io.read_exact(&mut byte).unwrap();
            io.write_all(&byte).unwrap();
            Action::Rearm
        });
        source.unwrap()
    })
}

/// What is added to the loop, and kept until the end.
type Load = fn(&Reactor) -> Box<dyn std::any::Any>;

fn events(reactor: &Reactor) -> Box<dyn std::any::Any> {
    Box::new(echo(reactor))
}

/// Many at once, so that batches grow, and callbacks leave others behind.
fn batches(reactor: &Reactor) -> Box<dyn std::any::Any> {
    let echoes: Vec<_> = (0..10).map(|_| echo(reactor)).collect();
    Box::new(echoes)
}

fn timers(reactor: &Reactor) -> Box<dyn std::any::Any> {
    let period =
        |micros| reactor.every(Duration::from_micros(micros), || ControlFlow::Continue(()));
    Box::new([period(100), period(130), period(1000)])
}

/// A timer that is moved whenever an event comes, as time-outs are.
fn timeouts(reactor: &Reactor) -> Box<dyn std::any::Any> {
    let timeout = Rc::new(reactor.after(NEVER, || unreachable!()));
    let (client, server) = UnixStream::pair().unwrap();
    (&client).write_all(&[7]).unwrap();
    let sources = [client, server].map(|end| {
        let timeout = Rc::clone(&timeout);
        let source = reactor.register(end, Interest::READABLE, move |mut io, _| {
            let mut byte = [0];
            io.read_exact(&mut byte).unwrap();
            io.write_all(&byte).unwrap();
            assert!(timeout.reset(NEVER));
            Action::RearmFor(Interest::READABLE)
        });
        source.unwrap()
    });
    Box::new((sources, timeout))
}

/// Tasks that wait for readiness, and wake each other.
fn tasks(reactor: &Reactor) -> Box<dyn std::any::Any> {
    let (client, server) = UnixStream::pair().unwrap();
    (&client).write_all(&[7]).unwrap();
    let tasks = [client, server].map(|end| {
        let source = reactor.source(end).unwrap();
        reactor.spawn_local(async move {
            loop {
                source.ready(Interest::READABLE).await.unwrap();
                let mut byte = [0];
                source.get_ref().read_exact(&mut byte).unwrap();
                source.get_ref().write_all(&byte).unwrap();
            }
        })
    });
    Box::new(tasks)
}

/// Streams that remember what they are ready for.
#[cfg(feature = "net")]
fn streams(reactor: &Reactor) -> Box<dyn std::any::Any> {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};

    let (client, server) = interloop::net::UnixStream::pair(reactor).unwrap();
    client.get_ref().write_all(&[7]).unwrap();
    let tasks = [client, server].map(|mut end| {
        reactor.spawn_local(async move {
            loop {
                let mut byte = [0];
                end.read_exact(&mut byte).await.unwrap();
                end.write_all(&byte).await.unwrap();
            }
        })
    });
    Box::new(tasks)
}

/// How the host runs a turn: by a tick, by its number, or when the descriptor is readable.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Post {
    Tick,
    Number,
    Held,
    Descriptor,
}

fn run(builder: Builder, load: Load, post: Post) -> usize {
    let reactor = builder
        .rewake_after(NEVER)
        .nested_grace(NEVER)
        .slow_callback(NEVER)
        .turn_budget(1_000_000, NEVER)
        .build()
        .unwrap();
    let host = Host::new();
    let queue = host.clone();
    let embedded = (post == Post::Descriptor).then(|| reactor.embed().unwrap());
    if embedded.is_none() {
        drop(reactor.interleave(move |tick| queue.post(tick)).unwrap());
    }
    let proxy = reactor.waker_proxy();
    let kept = load(&reactor);
    let turn = || {
        if let Some(embedded) = &embedded {
            poll(&mut [PollFd::new(embedded, PollFlags::IN)], None).unwrap();
            assert!(embedded.turn());
            return;
        }
        let tick = host.take();
        match post {
            Post::Descriptor => unreachable!("it has no tick"),
            Post::Tick => tick.run(),
            Post::Number => Tick::from_raw(tick.into_raw()).unwrap().run(),
            Post::Held => {
                proxy.hold();
                tick.run();
                proxy.release().unwrap();
            }
        }
    };
    // Warm is what does not grow any more: a batch may be the largest so far, and the second buffer
    // of a mailbox is made when a put first meets a fetch.
    let mut allocations = usize::MAX;
    for _ in 0..STRETCHES {
        let before = ALLOCATIONS.load(Ordering::Relaxed);
        (0..TURNS).for_each(|_| turn());
        allocations = ALLOCATIONS.load(Ordering::Relaxed) - before;
        if allocations == 0 {
            break;
        }
    }
    drop(kept);
    allocations
}

#[test]
fn ten_thousand_turns_of_the_event_path_allocate_nothing() {
    let loads: &[(&str, Load)] = &[
        ("events", events),
        ("batches", batches),
        ("timers", timers),
        ("timeouts", timeouts),
        ("tasks", tasks),
        #[cfg(feature = "net")]
        ("streams", streams),
    ];
    let only = std::env::var("INTERLOOP_BACKEND").ok();
    let mut failures = Vec::new();
    for backend in BackendKind::ALL {
        if only.as_ref().is_some_and(|only| only != backend.name()) {
            continue;
        }
        if let Err(error) = Reactor::builder().backend(backend).build() {
            println!("{backend}: skipped: {error}");
            continue;
        }
        let reactor = Reactor::builder().backend(backend).build().unwrap();
        let embeds = reactor.embed().map_err(|error| println!("{backend}: skipped: {error}"));
        let posts = [Post::Number, Post::Held].map(|post| ("events", events as Load, post));
        let cases = loads.iter().map(|&(name, load)| (name, load, Post::Tick)).chain(posts);
        let embedded = loads.iter().map(|&(name, load)| (name, load, Post::Descriptor));
        let cases = cases.chain(embedded.filter(|_| embeds.is_ok()));
        for (name, load, post) in cases {
            let allocations = run(Reactor::builder().backend(backend), load, post);
            if allocations > 0 {
                failures.push(format!("{backend}, {name}, {post:?}: {allocations} allocations"));
            }
        }
    }
    assert!(failures.is_empty(), "{failures:#?}");
}
