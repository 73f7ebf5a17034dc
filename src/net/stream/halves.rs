//! The two halves of a stream.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
use interloop_backends::AsSource;

use super::Stream;

/// The half of a [`Stream`] that reads, from [`Stream::split`].
pub struct ReadHalf<S> {
    stream: Stream<S>,
}

impl<S> ReadHalf<S> {
    pub(super) fn new(stream: Stream<S>) -> ReadHalf<S> {
        ReadHalf { stream }
    }

    /// The stream, with both of its halves.
    pub fn stream(&self) -> &Stream<S> {
        &self.stream
    }
}

impl<S: AsSource + 'static> AsyncRead for ReadHalf<S>
where
    for<'a> &'a S: Read,
{
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read(cx, bytes)
    }

    fn poll_read_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_read_vectored(cx, bytes)
    }
}

impl<S: fmt::Debug> fmt::Debug for ReadHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ReadHalf").field(&self.stream).finish()
    }
}

/// The half of a [`Stream`] that writes, from [`Stream::split`]. Dropping it closes that half of the
/// connection.
pub struct WriteHalf<S: AsSource + 'static> {
    stream: Stream<S>,
    open: bool,
}

impl<S: AsSource + 'static> WriteHalf<S> {
    pub(super) fn new(stream: Stream<S>) -> WriteHalf<S> {
        WriteHalf { stream, open: true }
    }

    /// The stream, with both of its halves.
    pub fn stream(&self) -> &Stream<S> {
        &self.stream
    }

    /// Puts the stream together again.
    ///
    /// # Errors
    ///
    /// Both halves, when they are not of one stream.
    pub fn unsplit(
        mut self,
        reader: ReadHalf<S>,
    ) -> Result<Stream<S>, (WriteHalf<S>, ReadHalf<S>)> {
        if !Rc::ptr_eq(&self.stream.object, &reader.stream.object) {
            return Err((self, reader));
        }
        self.open = false;
        Ok(reader.stream)
    }
}

impl<S: AsSource + 'static> AsyncWrite for WriteHalf<S>
where
    for<'a> &'a S: Write,
{
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.open = false;
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

impl<S: AsSource + 'static> Drop for WriteHalf<S> {
    fn drop(&mut self) {
        // A forked child shares the socket, and the connection is its parent's.
        if self.open && self.stream.object.core().shared.process.is_current() {
            // The peer that is gone already does not miss the end.
            let _gone = self.stream.shutdown(Shutdown::Write);
        }
    }
}

impl<S: AsSource + fmt::Debug + 'static> fmt::Debug for WriteHalf<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WriteHalf").field(&self.stream).finish()
    }
}
