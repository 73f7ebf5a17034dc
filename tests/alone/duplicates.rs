//! Descriptors that are closed elsewhere while a duplicate keeps their object open and ready: a set of epoll's goes on to
//! report them, and nothing can take them out of it (behaviours 8 and 18).

use std::cell::{Cell, RefCell};
use std::os::fd::IntoRawFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::{Duration, Instant};

use interloop::{Action, BackendKind, Handle, Interest, Readiness, Source};
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::descriptors::{Foreign, open_descriptors, set_limit, with_number};
use crate::pairs::{Heard, fence, pair, read, reader, script, settled, write};
use crate::world::{Drive, Host, LIMIT, World};

/// A source whose descriptor somebody else will close.
struct Haunted {
    source: Source<Foreign>,
    heard: Heard<Readiness>,
    number: i32,
    /// Keeps the object open.
    duplicate: UnixStream,
    far: UnixStream,
}

impl Haunted {
    /// One that never reads, and always goes on.
    fn new(reactor: &Handle) -> Haunted {
        let (near, far) = pair();
        let duplicate = near.try_clone().unwrap();
        let number = near.into_raw_fd();
        let heard = Heard::new();
        let tell = heard.clone();
        let source = reactor.register(Foreign(number), Interest::READABLE, move |_, what| {
            tell.tell(what);
            Action::Rearm
        });
        Haunted { source: source.unwrap(), heard, number, duplicate, far }
    }

    /// Ends when the source was told that it is lost.
    async fn lost(&self) {
        for _ in 0..1000 {
            if self.heard.next().await.is_invalid() {
                return;
            }
        }
        panic!("it is called for ever");
    }
}

/// Nothing happens but the timer that this waits for: neither turns nor wakes of the worker.
async fn idle(reactor: &Handle) {
    const SOME: u64 = 10;
    let before = reactor.stats();
    reactor.sleep(Duration::from_millis(30)).await;
    let after = reactor.stats();
    assert!(after.turns - before.turns <= SOME, "{before:?}\n{after:?}");
    assert!(after.worker_returns - before.worker_returns <= SOME, "{before:?}\n{after:?}");
}

pub fn a_source_whose_duplicate_stays_ready_is_lost_and_wakes_nobody(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let haunted = Haunted::new(&reactor);
            fence(&reactor).await;
            Foreign::close(haunted.number);
            write(&haunted.far, b"a");
            haunted.lost().await;
            idle(&reactor).await;
            assert_eq!(haunted.heard.rest(), [], "it hears no more");
            // The object is alive, and its events are nobody's.
            write(&haunted.far, b"a");
            idle(&reactor).await;
            drop(haunted.source);
            write(&haunted.far, b"a");
            idle(&reactor).await;
            assert_eq!(haunted.heard.rest(), []);
            assert_eq!(read(&haunted.duplicate), Some(b'a'));
        }
    });
}

pub fn a_source_that_goes_after_its_descriptor_wakes_nobody(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            for is_ready_before in [false, true] {
                let Haunted { source, heard, number, duplicate, far } = Haunted::new(&reactor);
                fence(&reactor).await;
                Foreign::close(number);
                if is_ready_before {
                    write(&far, b"a");
                }
                drop(source);
                if !is_ready_before {
                    idle(&reactor).await;
                    write(&far, b"a");
                }
                idle(&reactor).await;
                assert_eq!(heard.rest(), []);
                assert_eq!(read(&duplicate), Some(b'a'));
            }
        }
    });
}

pub fn a_number_that_is_used_again_is_found_out_and_given_up(world: &World) {
    // The others hear of the new object instead (docs/backends.md).
    if !matches!(world.backend, BackendKind::Epoll | BackendKind::Polling) {
        return;
    }
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let Haunted { source, heard, number, duplicate, far } = Haunted::new(&reactor);
            fence(&reactor).await;
            Foreign::close(number);
            let (new, new_far) = with_number(number).expect("it is free");
            // The object that has the number is ready itself.
            write(&new_far, b"z");
            write(&far, b"a");
            for call in 0.. {
                assert!(call < 1000, "it is called for ever");
                if heard.next().await.is_invalid() {
                    break;
                }
            }
            drop(source);
            assert_eq!(read(&new), Some(b'z'));
            let (new, told) = reader(&reactor, new);
            write(&new_far, b"n");
            assert_eq!(told.next().await, Some(b'n'));
            idle(&reactor).await;
            assert_eq!((heard.rest(), told.rest()), (vec![], vec![]));
            assert_eq!(read(&duplicate), Some(b'a'));
            drop(new);
        }
    });
}

/// Callbacks, a wait, timers and calls of other threads, and a stream of edges.
pub fn all_others_go_on(world: &World) {
    const OTHERS: usize = 100;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let heard = Heard::new();
            let others: Vec<_> = (0..OTHERS)
                .map(|number| {
                    let (near, far) = pair();
                    let tell = heard.clone();
                    let source = reactor.register(near, Interest::READABLE, move |io, _| {
                        tell.tell((number, read(io)));
                        Action::Rearm
                    });
                    (source.unwrap(), far)
                })
                .collect();
            let (near, awaited_far) = pair();
            let awaited = reactor.source(near).unwrap();
            let (near, disarmed_far) = pair();
            let disarmed = reactor.register(near, Interest::READABLE, |_, _| panic!("disarmed"));
            let disarmed = disarmed.unwrap();
            disarmed.disarm().unwrap();
            write(&disarmed_far, b"a");
            for _ in 0..3 {
                let haunted = Haunted::new(&reactor);
                fence(&reactor).await;
                Foreign::close(haunted.number);
                write(&haunted.far, b"a");
                haunted.lost().await;
                // It is in the set as long as that is not renewed, and others may have its number.
                drop(haunted.source);
                idle(&reactor).await;
                for (_, far) in &others {
                    write(far, b"o");
                }
                let mut told = heard.take(OTHERS).await;
                told.sort_unstable();
                assert!(told.into_iter().eq((0..OTHERS).map(|number| (number, Some(b'o')))));
                write(&awaited_far, b"w");
                assert!(awaited.ready(Interest::READABLE).await.unwrap().is_readable());
                assert_eq!(read(awaited.get_ref()), Some(b'w'));
                let (remote, told) = (reactor.remote(), Rc::new(Cell::new(false)));
                let calling = std::thread::spawn(move || remote.call_blocking(|| 7).unwrap());
                let set = Rc::clone(&told);
                reactor.after(Duration::from_millis(1), move || set.set(true)).detach();
                while !(told.get() && calling.is_finished()) {
                    reactor.sleep(Duration::from_millis(1)).await;
                }
                assert_eq!(calling.join().unwrap(), 7);
                assert_eq!(heard.rest(), []);
            }
            drop(disarmed);
        }
    });
}

/// What was registered by level where the host thread waits would end each wait of the worker.
pub fn a_worker_does_not_inherit_what_cannot_be_deleted(world: &World) {
    if !world.is_interleaved() {
        return;
    }
    let reactor = world.reactor();
    let haunted = RefCell::new(None);
    let inner = reactor.handle();
    reactor
        .block_on(async {
            let ghost = Haunted::new(&inner);
            fence(&inner).await;
            Foreign::close(ghost.number);
            drop(ghost.source);
            haunted.replace(Some((ghost.far, ghost.duplicate)));
            // Another is closed, and nobody has noticed.
            let ghost = Haunted::new(&inner);
            fence(&inner).await;
            Foreign::close(ghost.number);
            ghost.source.detach();
            write(&ghost.far, b"a");
            std::mem::forget((ghost.far, ghost.duplicate));
            settled(&inner).await;
        })
        .unwrap();
    let host = Host::new(&reactor, Drive::Interleaved);
    let _proxy = host.interleave(&reactor);
    let (far, _duplicate) = haunted.take().unwrap();
    write(&far, b"a");
    let is_over = Rc::new(Cell::new(false));
    let (inner, set) = (reactor.handle(), Rc::clone(&is_over));
    let task = reactor.spawn_local(async move {
        // The second is told that it is lost.
        fence(&inner).await;
        idle(&inner).await;
        set.set(true);
    });
    host.run_until(|| is_over.get());
    drop(task);
}

/// Nothing else wakes the host.
pub fn one_that_is_found_closed_at_the_change_of_a_drive_hears_so(world: &World) {
    if !world.has_host() {
        return;
    }
    let reactor = world.reactor();
    let (source, inner) = (RefCell::new(None), reactor.handle());
    reactor
        .block_on(async {
            source.replace(Some(Haunted::new(&inner)));
            fence(&inner).await;
            settled(&inner).await;
        })
        .unwrap();
    let haunted = source.take().unwrap();
    Foreign::close(haunted.number);
    write(&haunted.far, b"a");
    let is_told = Rc::new(Cell::new(false));
    let host = world.host(&reactor);
    host.run_until(|| {
        is_told.set(is_told.get() || haunted.heard.rest().iter().any(|what| what.is_invalid()));
        is_told.get()
    });
}

/// There is no room for a second set: it is made when there is.
pub fn at_the_limit_of_descriptors_nothing_else_is_lost(world: &World) {
    if world.backend != BackendKind::Epoll {
        return;
    }
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let heard = Heard::new();
            let tell = heard.clone();
            let (near, far) = pair();
            let other = reactor.register(near, Interest::READABLE, move |io, _| {
                tell.tell(read(io));
                Action::Rearm
            });
            let haunted = Haunted::new(&reactor);
            fence(&reactor).await;
            settled(&reactor).await;
            Foreign::close(haunted.number);
            let before = set_limit(Some(open_descriptors() as u64 + 10));
            let hogs: Vec<_> = std::iter::from_fn(|| far.try_clone().ok()).collect();
            write(&haunted.far, b"a");
            haunted.lost().await;
            for _ in 0..10 {
                write(&far, b"o");
                assert_eq!(heard.next().await, Some(b'o'));
                reactor.sleep(Duration::from_micros(300)).await;
            }
            drop(hogs);
            set_limit(before.current);
            idle(&reactor).await;
            write(&far, b"o");
            assert_eq!(heard.next().await, Some(b'o'));
            assert_eq!(heard.rest(), []);
            drop((other, haunted));
        }
    });
}

/// As epoll does. There is no renewal behind its back, and nothing that would need one.
pub fn a_host_that_keeps_hold_of_the_descriptor_hears_on(world: &World) {
    if world.drive != Drive::Embed {
        return;
    }
    let reactor = world.reactor();
    // Registered by level, and a source of a drive that is over.
    let earlier = Rc::new(RefCell::new(None));
    let (inner, set) = (reactor.handle(), Rc::clone(&earlier));
    reactor
        .block_on(async move {
            set.replace(Some(Haunted::new(&inner)));
            fence(&inner).await;
        })
        .unwrap();
    let embedded = reactor.embed().unwrap();
    let watch = epoll::create(epoll::CreateFlags::CLOEXEC).unwrap();
    let readable = epoll::EventFlags::IN;
    epoll::add(&watch, &embedded, epoll::EventData::new_u64(0), readable).unwrap();
    let (inner, is_over) = (reactor.handle(), Rc::new(Cell::new(false)));
    let set = Rc::clone(&is_over);
    let task = reactor.spawn_local(async move {
        let earlier = earlier.take().unwrap();
        for haunted in [earlier, Haunted::new(&inner)] {
            fence(&inner).await;
            Foreign::close(haunted.number);
            write(&haunted.far, b"a");
            haunted.lost().await;
            idle(&inner).await;
            drop(haunted.source);
            write(&haunted.far, b"a");
            idle(&inner).await;
            fence(&inner).await;
        }
        set.set(true);
    });
    let limit = Instant::now() + LIMIT;
    while !is_over.get() {
        let left = Timespec::try_from(limit.saturating_duration_since(Instant::now())).unwrap();
        let mut events = Vec::with_capacity(1);
        epoll::wait(&watch, spare_capacity(&mut events), Some(&left)).unwrap();
        assert!(!events.is_empty(), "hangs: {}", reactor.dump());
        assert!(embedded.turn());
    }
    drop(task);
}

/// An edge is an event for nobody, and one at a time.
#[cfg(feature = "net")]
pub fn an_object_of_edges_that_goes_after_its_descriptor_wakes_nobody(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = pair();
            let duplicate = near.try_clone().unwrap();
            let number = near.into_raw_fd();
            let object = interloop::Async::new(&reactor, Foreign(number)).unwrap();
            fence(&reactor).await;
            Foreign::close(number);
            drop(object);
            for _ in 0..3 {
                write(&far, b"a");
                idle(&reactor).await;
                assert_eq!(read(&duplicate), Some(b'a'));
            }
            fence(&reactor).await;
        }
    });
}
