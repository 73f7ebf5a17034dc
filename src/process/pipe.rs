//! The pipes between a child and the host thread.

use std::fmt;
use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut, Read};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};

use crate::async_object::Async;
use crate::handle::Handle;
use crate::label::Label;

/// The pipe from a child's standard output or error.
///
/// Dropping it closes it: a child that writes on is told so by `SIGPIPE` or an error.
///
/// # Cancel safety
///
/// Dropping a read between polls loses nothing.
pub struct PipeReader {
    object: Async<File>,
}

impl PipeReader {
    pub(super) fn new(handle: &Handle, pipe: OwnedFd, label: Label) -> io::Result<PipeReader> {
        Ok(PipeReader { object: register(handle, pipe, label)? })
    }

    /// Makes it the standard input of another command, as in a pipeline of a shell.
    ///
    /// # Errors
    ///
    /// What the operating system said: above all, that there is no descriptor left.
    pub fn into_stdio(self) -> io::Result<Stdio> {
        into_stdio(&self.object)
    }

    pub(super) async fn read_to_end(&self) -> io::Result<Vec<u8>> {
        /// How much of what is there is read before others have their say.
        const PART: u64 = 64 * 1024;
        let mut bytes = Vec::new();
        // What comes before `WouldBlock` is kept.
        while self.object.read_with(|pipe| pipe.take(PART).read_to_end(&mut bytes)).await? > 0 {}
        Ok(bytes)
    }
}

impl AsyncRead for PipeReader {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.object).poll_read(cx, bytes)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &self.object).poll_read_vectored(cx, bytes)
    }
}

impl fmt::Debug for PipeReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeReader").field(&self.object).finish()
    }
}

/// The pipe to a child's standard input.
///
/// Dropping it closes it, and so does `AsyncWrite::poll_close`: the child reads the end. Writing when
/// the child has closed its end is a `BrokenPipe` error, and `SIGPIPE`, which a Rust program ignores;
/// a host that was written in another language has to ignore it itself.
///
/// # Cancel safety
///
/// Dropping a write between polls loses nothing. `write_all` of an extension trait is several writes,
/// and what of them has happened is not told when it is dropped half-way.
pub struct PipeWriter {
    /// None once it was closed.
    object: Option<Async<File>>,
}

impl PipeWriter {
    pub(super) fn new(handle: &Handle, pipe: OwnedFd, label: Label) -> io::Result<PipeWriter> {
        Ok(PipeWriter { object: Some(register(handle, pipe, label)?) })
    }

    /// Makes it the standard output or error of another command.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` when it was closed; what the operating system said: above all, that there is no
    /// descriptor left.
    pub fn into_stdio(self) -> io::Result<Stdio> {
        into_stdio(self.object()?)
    }

    fn object(&self) -> io::Result<&Async<File>> {
        let closed = || io::Error::new(io::ErrorKind::BrokenPipe, "the pipe was closed here");
        self.object.as_ref().ok_or_else(closed)
    }
}

impl AsyncWrite for PipeWriter {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.object()?).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.object()?).poll_write_vectored(cx, bytes)
    }

    /// Does nothing: what was written is in the pipe.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closes the pipe. What is written afterwards fails with `BrokenPipe`.
    fn poll_close(mut self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        drop(self.object.take());
        Poll::Ready(Ok(()))
    }
}

impl fmt::Debug for PipeWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PipeWriter").field(&self.object).finish()
    }
}

fn register(handle: &Handle, pipe: OwnedFd, label: Label) -> io::Result<Async<File>> {
    let pipe = File::from(pipe);
    rustix::io::ioctl_fionbio(&pipe, true)?;
    Ok(Async::labelled(handle, pipe, label)?)
}

/// The other process expects a pipe that blocks. That is a property of the pipe's end, whoever holds
/// it, and ours is about to be dropped.
fn into_stdio(object: &Async<File>) -> io::Result<Stdio> {
    let pipe = object.get_ref().try_clone()?;
    rustix::io::ioctl_fionbio(&pipe, false)?;
    Ok(pipe.into())
}
