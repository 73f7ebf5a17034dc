//! Descriptors that are closed elsewhere, used again, many, or none.
#![allow(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use interloop::{Action, BackendKind, Interest, Source};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::pairs::{Heard, fence, pair, read, reader, script, settled, write};
use crate::world::World;

/// A descriptor that somebody else closes.
pub struct Foreign(pub RawFd);

impl Foreign {
    /// Closes it under the feet of whoever uses it. The number is free then.
    pub fn close(number: RawFd) {
        // SAFETY: the process is the case's own. That somebody uses the number is what the case is about.
        unsafe { libc::close(number) };
    }

    /// Opens something under a number that was closed, for an owner who will close it.
    pub fn open(number: RawFd) {
        // SAFETY: the process is the case's own, and the number is that of nobody else.
        assert_eq!(unsafe { libc::dup2(0, number) }, number);
    }
}

impl AsFd for Foreign {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: that this is not true is what the case is about; nothing reads or writes it.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

/// A pair whose first end has this number, if that is free. Others may be free too: a backend's
/// library may close its own in its own time.
pub fn with_number(number: RawFd) -> Option<(UnixStream, UnixStream)> {
    let mut others = Vec::new();
    for _ in 0..50 {
        let (near, far) = pair();
        if near.as_raw_fd() == number {
            return Some((near, far));
        }
        if far.as_raw_fd() == number {
            return Some((far, near));
        }
        others.push((near, far));
    }
    None
}

/// True where the system call itself says that a descriptor is closed. The others notice it when
/// the source is armed again.
fn says_closed(world: &World) -> bool {
    matches!(world.backend, BackendKind::Poll | BackendKind::Select)
}

/// Behaviour 18.
pub fn one_that_was_closed_behind_our_back_is_invalid_once(world: &World) {
    let says_closed = says_closed(world);
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (other, other_far) = pair();
            let (other, others) = reader(&reactor, other);
            let (near, far) = pair();
            let closed = near.into_raw_fd();
            let heard = Heard::new();
            let tell = heard.clone();
            let source = reactor.register(Foreign(closed), Interest::READABLE, move |_, what| {
                tell.tell(what);
                Action::Rearm
            });
            let source = source.unwrap();
            fence(&reactor).await;
            Foreign::close(closed);
            if !says_closed {
                source.arm(Interest::WRITABLE).unwrap();
            }
            // The system call looks at all the others again when something happens. (Nothing may be
            // opened until then: it would get the number.)
            write(&other_far, b"a");
            assert!(heard.next().await.is_invalid());
            assert_eq!(others.next().await, Some(b'a'));
            for _ in 0..10 {
                write(&other_far, b"a");
                assert_eq!(others.next().await, Some(b'a'));
                reactor.sleep(Duration::from_micros(300)).await;
            }
            fence(&reactor).await;
            assert_eq!(heard.rest(), [], "it has answered Rearm, and hears no more");
            let dump = reactor.dump();
            assert!(dump.sources.iter().any(|source| source.invalid), "{dump}");
            let wait = source.ready(Interest::READABLE).await;
            assert_eq!(wait.unwrap_err().kind(), ErrorKind::BrokenPipe);
            // The number, used again, is still taken, until the source is dropped.
            let (again, _other_end) = with_number(closed).expect("it is free");
            let refused = reactor.source(again).unwrap_err();
            assert_eq!(refused.error.kind(), ErrorKind::AlreadyExists);
            drop(source);
            let again = reactor.source(refused.io).unwrap();
            assert!(again.ready(Interest::READABLE | Interest::WRITABLE).await.is_ok());
            drop((other, far));
        }
    });
}

/// Behaviour 17: in the same batch.
pub fn a_number_that_is_used_again_gets_no_event_of_the_past(world: &World) {
    // There is limbo only where a worker may be looking.
    let lets_go_later = says_closed(world) || world.backend == BackendKind::IoUring;
    let keeps_open = lets_go_later && world.is_interleaved();
    script(world, |reactor| {
        let sources: Rc<[RefCell<Option<Source<UnixStream>>>; 2]> = Rc::default();
        let (heard, events) = (Heard::new(), Heard::new());
        let mut far_ends = Vec::new();
        for (own, other) in [(0, 1), (1, 0)] {
            let (near, far) = pair();
            write(&far, b"a");
            far_ends.push(far);
            let (all, tell) = (Rc::clone(&sources), heard.clone());
            let (inner, wrong) = (reactor.handle(), events.clone());
            let source = reactor.register(near, Interest::READABLE, move |_, _| {
                let gone = all[other].take().unwrap();
                let number = gone.get_ref().as_raw_fd();
                drop(gone);
                let same = with_number(number);
                assert!(same.is_some() != keeps_open, "the number is free, unless it is in limbo");
                let (near, far) = same.unwrap_or_else(pair);
                let wrong = wrong.clone();
                let new = inner.register(near, Interest::READABLE, move |io, _| {
                    wrong.tell(read(io));
                    Action::Rearm
                });
                tell.tell((new.unwrap(), far));
                Action::Disarm
            });
            sources[own].replace(source.ok());
        }
        let reactor = reactor.handle();
        async move {
            let new = heard.next().await;
            fence(&reactor).await;
            assert_eq!(events.rest(), []);
            assert_eq!(reactor.stats().stale_events, 1);
            write(&new.1, b"n");
            assert_eq!(events.next().await, Some(b'n'));
            sources.iter().for_each(|source| drop(source.take()));
        }
    });
}

pub fn open_descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

pub fn set_limit(descriptors: Option<u64>) -> Rlimit {
    let before = getrlimit(Resource::Nofile);
    let limit = Rlimit { current: descriptors, maximum: before.maximum };
    setrlimit(Resource::Nofile, limit).unwrap();
    before
}

/// Behaviour 23: as many as the limit allows, and at most 20,000.
pub fn many_more_than_1024_are_watched_at_once(world: &World) {
    let maximum = getrlimit(Resource::Nofile).maximum.unwrap_or(20_000).min(20_000);
    let before = set_limit(Some(maximum));
    let open = open_descriptors();
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let pairs = (maximum as usize - open_descriptors() - 50) / 2;
            if pairs < 1100 {
                println!("no more than {maximum} descriptors here: less is shown");
            }
            let heard = Heard::new();
            let (mut sources, mut far_ends) = (Vec::new(), Vec::new());
            for number in 0..pairs {
                let (near, far) = pair();
                let tell = heard.clone();
                let source = reactor.register(near, Interest::READABLE, move |io, _| {
                    tell.tell((number, read(io)));
                    Action::Rearm
                });
                sources.push(source.unwrap());
                far_ends.push(far);
            }
            fence(&reactor).await;
            for _ in 0..2 {
                for far in &far_ends {
                    write(far, b"a");
                }
                let mut told = heard.take(pairs).await;
                told.sort_unstable();
                assert!(told.iter().copied().eq((0..pairs).map(|number| (number, Some(b'a')))));
            }
            fence(&reactor).await;
            assert_eq!(heard.rest(), []);
            drop((sources, far_ends));
            fence(&reactor).await;
            settled(&reactor).await;
            assert!(reactor.dump().sources.is_empty());
        }
    });
    // A backend's library may keep some of its own.
    assert!(open_descriptors() < open + 50, "{} of {open}", open_descriptors());
    setrlimit(Resource::Nofile, before).unwrap();
}

/// Duplicates `io` until no descriptor is left.
fn take_all(io: &TcpListener, hogs: &mut Vec<OwnedFd>) {
    while let Ok(hog) = io.try_clone() {
        hogs.push(hog.into());
    }
}

/// Behaviour 24: the callback hears EMFILE from its accept, steps back, and goes on when a timer
/// has armed it again and descriptors are free; until then nothing spins.
pub fn accept_at_the_limit_recovers_when_descriptors_are_free(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            let address = listener.local_addr().unwrap();
            let heard = Heard::new();
            let tell = heard.clone();
            let hogs = Rc::new(RefCell::new(None));
            let taking = Rc::clone(&hogs);
            let source = reactor.register(listener, Interest::READABLE, move |io, _| {
                // All that are free, also those that a backend's library has closed meanwhile.
                if let Some(hogs) = taking.borrow_mut().as_mut() {
                    take_all(io, hogs);
                }
                let accepted = io.accept();
                let failed = accepted.as_ref().err().map(|error| error.raw_os_error());
                tell.tell(accepted.map_err(|_| failed));
                if failed.is_some() { Action::Disarm } else { Action::Rearm }
            });
            let source = Rc::new(source.unwrap());
            fence(&reactor).await;
            let client = TcpStream::connect(address).unwrap();
            let (first, _) = heard.next().await.unwrap();
            // What the fence has opened is closed.
            settled(&reactor).await;
            let used = open_descriptors();
            let before = set_limit(Some(used as u64 + 10));
            let mut all = Vec::new();
            take_all(source.get_ref(), &mut all);
            // The last one goes to a client.
            drop(all.pop());
            hogs.replace(Some(all));
            let second = TcpStream::connect(address).unwrap();
            let refused = Some(Some(libc::EMFILE));
            let events = reactor.stats().events;
            let armed = Rc::new(Cell::new(0));
            for _ in 0..5 {
                assert_eq!(heard.next().await.err(), Some(refused));
                let (again, count) = (Rc::clone(&source), Rc::clone(&armed));
                let arm = move || {
                    count.set(count.get() + 1);
                    again.arm(Interest::READABLE).unwrap();
                };
                reactor.after(Duration::from_millis(2), arm).detach();
            }
            hogs.take();
            setrlimit(Resource::Nofile, before).unwrap();
            let accepted = loop {
                match heard.next().await {
                    Ok(accepted) => break accepted,
                    Err(_) => source.arm(Interest::READABLE).unwrap(),
                }
            };
            let spent = reactor.stats().events - events;
            assert!(spent <= 8, "{spent} events for five refusals");
            assert!(armed.get() <= 5);
            drop((client, first, second, accepted));
        }
    });
}
