//! Streams for tasks, each after a first read that found nothing.

use std::future::Future;
use std::io;
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use async_io::Async;
use futures_lite::AsyncReadExt;
use tokio::runtime::Builder;

use super::callbacks::{pairs, reactor, take};
use super::heap::{Grown, grown};

/// Polls a read once, which registers what is registered late. Nobody waits after it.
fn find_nothing<T>(read: impl Future<Output = io::Result<T>>) -> io::Result<()> {
    match pin!(read).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Pending => Ok(()),
        Poll::Ready(Ok(_)) => Err(io::Error::other("there is something to read")),
        Poll::Ready(Err(error)) => Err(error),
    }
}

pub(super) fn ours(count: usize) -> io::Result<Grown> {
    let reactor = reactor()?;
    let (mut streams, _peers) = pairs(count)?;
    grown(count, |_| {
        let mut stream = interloop::Async::new(&reactor, take(&mut streams)?)?;
        find_nothing(stream.read(&mut [0]))?;
        Ok(stream)
    })
}

pub(super) fn tokio(count: usize) -> io::Result<Grown> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let _entered = runtime.enter();
    let (mut streams, _peers) = pairs(count)?;
    grown(count, |_| {
        let mut stream = tokio::net::UnixStream::from_std(take(&mut streams)?)?;
        find_nothing(tokio::io::AsyncReadExt::read(&mut stream, &mut [0]))?;
        Ok(stream)
    })
}

pub(super) fn async_io(count: usize) -> io::Result<Grown> {
    let (mut streams, _peers): (Vec<UnixStream>, _) = pairs(count)?;
    grown(count, |_| {
        let mut stream = Async::new(take(&mut streams)?)?;
        find_nothing(stream.read(&mut [0]))?;
        Ok(stream)
    })
}
