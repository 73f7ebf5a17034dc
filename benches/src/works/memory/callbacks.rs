//! Sources and timers with a callback, and the registrations of bare pollers.

use std::cell::Cell;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::time::Duration;

use calloop::generic::Generic;
use calloop::timer::{TimeoutAction, Timer};
use calloop::{EventLoop, PostAction};
use interloop::{Action, BackendKind, Interest, Reactor};

use super::heap::{Grown, grown};

/// Far away.
pub(super) const LATER: Duration = Duration::from_secs(3600);

pub(super) fn reactor() -> io::Result<Reactor> {
    Reactor::builder().backend(BackendKind::Epoll).build()
}

/// Streams that do not block, and their peers.
pub(super) fn pairs(count: usize) -> io::Result<(Vec<UnixStream>, Vec<UnixStream>)> {
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    // One more than is measured, for the first.
    for _ in 0..=count {
        let (one, other) = UnixStream::pair()?;
        one.set_nonblocking(true)?;
        ours.push(one);
        theirs.push(other);
    }
    Ok((ours, theirs))
}

fn none_left() -> io::Error {
    io::Error::other("there is no stream left")
}

pub(super) fn take(streams: &mut Vec<UnixStream>) -> io::Result<UnixStream> {
    streams.pop().ok_or_else(none_left)
}

pub(super) fn our_sources(count: usize) -> io::Result<Grown> {
    let reactor = reactor()?;
    let (mut streams, _peers) = pairs(count)?;
    let ready = Rc::new(Cell::new(0_usize));
    grown(count, |_| {
        let ready = Rc::clone(&ready);
        let callback = move |_: &UnixStream, _| {
            ready.set(ready.get() + 1);
            Action::Rearm
        };
        Ok(reactor.register(take(&mut streams)?, Interest::READABLE, callback)?)
    })
}

pub(super) fn calloop_sources(count: usize) -> io::Result<Grown> {
    let event_loop = EventLoop::<usize>::try_new()?;
    let handle = event_loop.handle();
    let (mut streams, _peers) = pairs(count)?;
    grown(count, |_| {
        let stream = take(&mut streams)?;
        let source = Generic::new(stream, calloop::Interest::READ, calloop::Mode::Level);
        let callback = |_, _: &mut _, ready: &mut usize| {
            *ready += 1;
            Ok(PostAction::Continue)
        };
        handle.insert_source(source, callback).map_err(|error| error.error.into())
    })
}

/// A token in the kernel's set: whatever is called has to be kept elsewhere.
pub(super) fn mio_sources(count: usize) -> io::Result<Grown> {
    let poll = mio::Poll::new()?;
    let (mut streams, _peers) = pairs(count)?;
    grown(count, |index| {
        let mut stream = mio::net::UnixStream::from_std(take(&mut streams)?);
        poll.registry().register(&mut stream, mio::Token(index), mio::Interest::READABLE)?;
        Ok(stream)
    })
}

/// As mio's.
pub(super) fn polling_sources(count: usize) -> io::Result<Grown> {
    let poller = polling::Poller::new()?;
    let (mut streams, _peers) = pairs(count)?;
    grown(count, |index| {
        let stream = take(&mut streams)?;
        add(&poller, &stream, index)?;
        Ok(stream)
    })
}

#[allow(unsafe_code)]
fn add(poller: &polling::Poller, stream: &UnixStream, index: usize) -> io::Result<()> {
    // SAFETY: nothing waits on the poller after the stream has been closed.
    unsafe { poller.add(stream.as_raw_fd(), polling::Event::readable(index)) }
}

pub(super) fn our_timers(count: usize) -> io::Result<Grown> {
    let reactor = reactor()?;
    let fired = Rc::new(Cell::new(0_usize));
    grown(count, |_| {
        let fired = Rc::clone(&fired);
        Ok(reactor.after(LATER, move || fired.set(fired.get() + 1)))
    })
}

pub(super) fn calloop_timers(count: usize) -> io::Result<Grown> {
    let event_loop = EventLoop::<usize>::try_new()?;
    let handle = event_loop.handle();
    grown(count, |_| {
        let callback = |_, (): &mut (), fired: &mut usize| {
            *fired += 1;
            TimeoutAction::Drop
        };
        let timer = Timer::from_duration(LATER);
        handle.insert_source(timer, callback).map_err(|error| error.error.into())
    })
}
