//! Connected pairs, and the script that a case is: a task that hears from callbacks.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use interloop::{Action, Handle, Interest, Reactor, Source};

use crate::world::{Drive, LIMIT, World};

/// Two ends that do not block.
pub fn pair() -> (UnixStream, UnixStream) {
    let (a, b) = UnixStream::pair().unwrap();
    a.set_nonblocking(true).unwrap();
    b.set_nonblocking(true).unwrap();
    (a, b)
}

pub fn write(mut to: &UnixStream, bytes: &[u8]) {
    to.write_all(bytes).unwrap();
}

/// One byte, or None at the end of the stream.
pub fn read(mut from: &UnixStream) -> Option<u8> {
    let mut byte = [0];
    (from.read(&mut byte).unwrap() == 1).then_some(byte[0])
}

/// Writes until there is no room left.
pub fn fill(mut to: &UnixStream) {
    while to.write(&[0; 4096]).is_ok() {}
}

/// Reads until nothing is left. True when the stream has ended.
pub fn drain(mut from: &UnixStream) -> bool {
    let mut bytes = [0; 4096];
    loop {
        match from.read(&mut bytes) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
            // What the other end had not read when it was closed comes back as a reset.
            Err(error) if error.kind() == ErrorKind::ConnectionReset => return true,
            Err(error) => panic!("{error}"),
        }
    }
}

/// A source that reads one byte at a time, and tells it; None at the end.
pub fn reader(reactor: &Handle, near: UnixStream) -> (Source<UnixStream>, Heard<Option<u8>>) {
    let heard = Heard::new();
    let tell = heard.clone();
    let source = reactor.register(near, Interest::READABLE, move |io, _| {
        tell.tell(read(io));
        Action::Rearm
    });
    (source.unwrap(), heard)
}

/// A source that gives back one byte at a time.
pub fn echoing(reactor: &Handle, near: UnixStream) -> Source<UnixStream> {
    let source = reactor.register(near, Interest::READABLE, |io, _| {
        write(io, &[read(io).unwrap()]);
        Action::Rearm
    });
    source.unwrap()
}

/// What callbacks tell and the script hears, in order.
pub struct Heard<T>(Rc<RefCell<(VecDeque<T>, Option<Waker>)>>);

impl<T> Clone for Heard<T> {
    fn clone(&self) -> Heard<T> {
        Heard(Rc::clone(&self.0))
    }
}

impl<T> Heard<T> {
    pub fn new() -> Heard<T> {
        Heard(Rc::new(RefCell::new((VecDeque::new(), None))))
    }

    pub fn tell(&self, what: T) {
        let mut inner = self.0.borrow_mut();
        inner.0.push_back(what);
        let waker = inner.1.take();
        drop(inner);
        waker.into_iter().for_each(Waker::wake);
    }

    pub async fn next(&self) -> T {
        poll_fn(|cx| {
            let mut inner = self.0.borrow_mut();
            inner.1 = Some(cx.waker().clone());
            inner.0.pop_front().map_or(Poll::Pending, Poll::Ready)
        })
        .await
    }

    pub async fn take(&self, count: usize) -> Vec<T> {
        let mut all = Vec::new();
        while all.len() < count {
            all.push(self.next().await);
        }
        all
    }

    /// What was told and not heard.
    pub fn rest(&self) -> Vec<T> {
        self.0.borrow_mut().0.drain(..).collect()
    }
}

/// Runs a case on a reactor of its own. What `make` does comes before the host loop, so that what
/// it makes ready comes in one batch; the future that it returns runs in the loop, as a task.
pub fn script<F: Future<Output = ()> + 'static>(world: &World, make: impl FnOnce(&Handle) -> F) {
    script_on(&world.reactor(), world, make);
}

pub fn script_on<F: Future<Output = ()> + 'static>(
    reactor: &Reactor,
    world: &World,
    make: impl FnOnce(&Handle) -> F,
) {
    let steps = make(reactor);
    if world.drive == Drive::BlockOn {
        let ended = reactor.block_on(reactor.timeout(LIMIT, steps)).expect("the reactor runs");
        return ended.unwrap_or_else(|_| panic!("hangs: {reactor:?}\n{}", reactor.dump()));
    }
    let host = world.host(reactor);
    let done = host.clone();
    let task = reactor.spawn_local(async move {
        steps.await;
        done.done();
    });
    task.detach();
    host.run();
}

/// Ends when all that was ready before has been reported, and all that was removed before has been
/// let go of: a source that is made and made ready after it has fired.
pub async fn fence(reactor: &Handle) {
    let (near, far) = pair();
    write(&far, b"x");
    let heard = Heard::new();
    // Twice: what was armed in this very turn is armed at its end, behind the first of them.
    for _ in 0..2 {
        let tell = heard.clone();
        let near = near.try_clone().unwrap();
        let fence = reactor.register(near, Interest::READABLE, move |_, _| {
            tell.tell(());
            Action::Remove
        });
        let fence = fence.unwrap();
        heard.next().await;
        drop(fence);
    }
}

/// Ends when the backend has let go of everything that was removed.
pub async fn settled(reactor: &Handle) {
    while reactor.dump().sources.iter().any(|source| source.limbo) {
        reactor.sleep(Duration::from_millis(1)).await;
    }
}

/// Ends when the other end of `end` was closed, which the reactor that watches it tells.
pub async fn closed(reactor: &Handle, end: UnixStream) {
    let end = reactor.source(end).unwrap();
    while !drain(end.get_ref()) {
        end.ready(Interest::READABLE).await.unwrap();
    }
}
