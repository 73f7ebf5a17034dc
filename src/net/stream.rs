//! A connected stream, whatever connects it, and its halves.

mod halves;

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::Shutdown;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use futures_io::{AsyncRead, AsyncWrite};
pub use halves::{ReadHalf, WriteHalf};
use interloop_backends::{AsSource, Interest};
use socket2::SockRef;

use crate::async_object::Async;
use crate::handle::Handle;
use crate::label::Label;
use crate::source::RegisterError;
use crate::task::Task;

/// A connected stream: [`TcpStream`](crate::net::TcpStream) or
/// [`UnixStream`](crate::net::UnixStream).
///
/// It is `AsyncRead` and `AsyncWrite`, and so is `&Stream`. A clone is another handle of the same
/// stream; the connection is closed when the last one is dropped. Any number of tasks may read and
/// write at a time.
///
/// # Cancel safety
///
/// Dropping a read or a write between polls loses nothing. `write_all`, `read_exact` and their like
/// of extension traits are several operations, and what of them has happened is not told when they
/// are dropped half-way.
pub struct Stream<S> {
    object: Rc<Async<S>>,
}

impl<S: AsSource + 'static> Stream<S> {
    /// Makes a connected socket of the standard library asynchronous. Writes go to the socket itself, by `send`, and not through what
    /// else its `Write` may do.
    ///
    /// # Errors
    ///
    /// As [`Async::new`](crate::Async::new), with the socket handed back.
    #[track_caller]
    pub fn new(handle: &Handle, socket: S) -> Result<Stream<S>, RegisterError<S>> {
        Ok(Stream::from_object(Async::new(handle, socket)?))
    }

    pub(crate) fn from_object(object: Async<S>) -> Stream<S> {
        Stream { object: Rc::new(object) }
    }

    /// Lends the socket of the standard library.
    pub fn get_ref(&self) -> &S {
        self.object.get_ref()
    }

    /// Lends the object underneath, for operations that this type does not have.
    pub fn as_async(&self) -> &Async<S> {
        &self.object
    }

    /// Closes one half of the connection, or both. The peer reads an end when the writing half is
    /// closed.
    ///
    /// # Errors
    ///
    /// What the operating system said; a connection that has ended already is no error.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        match SockRef::from(&self.get_ref().as_source()).shutdown(how) {
            Err(error) if error.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }

    /// Calls `callback` on the host thread whenever the socket is ready for `interest`, until it answers
    /// `ControlFlow::Break(())` or the task is dropped: for programs without `async`. It reads or writes
    /// by the socket of the standard library, which does not block, as much as it likes; while more is
    /// there, it is called again. Once the reactor has closed its sources, it is called with that error,
    /// and not again.
    ///
    /// ```
    /// use std::io::Read;
    /// use std::ops::ControlFlow;
    ///
    /// use interloop::net::{TcpListener, TcpStream};
    /// use interloop::{Interest, Reactor};
    ///
    /// let reactor = Reactor::new()?;
    /// let listener = TcpListener::bind(&reactor, "localhost:0")?;
    /// let connect = TcpStream::connect(&reactor, listener.local_addr()?);
    /// let serving = listener.on_connection(|accepted| {
    ///     if let Ok((stream, _peer)) = accepted {
    ///         // A few bytes fit into the socket at once.
    ///         std::io::Write::write_all(&mut stream.get_ref(), b"hello").unwrap();
    ///     }
    ///     ControlFlow::Continue(())
    /// });
    /// let handle = reactor.handle();
    /// reactor.spawn_then(connect, move |connected| {
    ///     let stream = connected.expect("somebody listens");
    ///     let read = stream.on_ready(Interest::READABLE, move |ready| {
    ///         let mut bytes = [0; 64];
    ///         let count = ready.and_then(|mut stream| stream.read(&mut bytes)).unwrap_or(0);
    ///         println!("{}", String::from_utf8_lossy(&bytes[..count]));
    ///         if count == 0 {
    ///             handle.stop();
    ///             return ControlFlow::Break(());
    ///         }
    ///         ControlFlow::Continue(())
    ///     });
    ///     read.detach();
    /// }).detach();
    /// reactor.run()?;
    /// drop(serving);
    /// # std::io::Result::Ok(())
    /// ```
    #[track_caller]
    pub fn on_ready(
        &self,
        interest: Interest,
        callback: impl FnMut(io::Result<&S>) -> ControlFlow<()> + 'static,
    ) -> Task<()> {
        Rc::clone(&self.object).each_ready(interest, Label::caller(), callback)
    }

    /// Splits the stream into a half that reads and a half that writes. Dropping the writing half
    /// closes that half of the connection; the connection is closed when both are dropped.
    pub fn split(self) -> (ReadHalf<S>, WriteHalf<S>) {
        (ReadHalf::new(self.clone()), WriteHalf::new(self))
    }

    /// `parts` of a vectored operation have `length` bytes together.
    fn poll_read_some(
        &self,
        cx: &mut Context<'_>,
        (parts, length): (usize, usize),
        read: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if length == 0 {
            // The operating system answers WouldBlock where there is nothing to read.
            return Poll::Ready(Ok(0));
        }
        let short = |read: &usize| (1..whole(length, parts)).contains(read);
        self.object.poll_operate(cx, Interest::READABLE, read, short)
    }

    fn poll_write_some(
        &self,
        cx: &mut Context<'_>,
        (parts, length): (usize, usize),
        write: impl FnMut(&S) -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        if length == 0 {
            return Poll::Ready(Ok(0));
        }
        let short = |written: &usize| (1..whole(length, parts)).contains(written);
        self.object.poll_operate(cx, Interest::WRITABLE, write, short)
    }
}

/// How every write is made. The vectored write of the standard library is `writev`, and for Unix sockets its plain
/// one was `write` until after Rust 1.85: both raise `SIGPIPE` where nobody reads any more. A Rust program ignores
/// that; one that was written in another language, and has a library of ours in it, would end.
#[cfg(all(unix, not(target_vendor = "apple")))]
const FLAGS: i32 = libc::MSG_NOSIGNAL;
// Apple's sockets are told when they are made.
#[cfg(not(all(unix, not(target_vendor = "apple"))))]
const FLAGS: i32 = 0;

fn write(socket: &impl AsSource, bytes: &[u8]) -> io::Result<usize> {
    SockRef::from(&socket.as_source()).send_with_flags(bytes, FLAGS)
}

/// What is short, as most answers of a protocol are, goes out in one piece: to copy it costs less than to
/// have the system look at the parts.
fn write_vectored(
    socket: &impl AsSource,
    parts: &[IoSlice<'_>],
    length: usize,
) -> io::Result<usize> {
    /// What no system refuses as too many.
    const MOST: usize = 1024;
    const SHORT: usize = 256;
    if length <= SHORT {
        let mut bytes = [0; SHORT];
        return write(socket, join(parts, &mut bytes));
    }
    let parts = &parts[..parts.len().min(MOST)];
    SockRef::from(&socket.as_source()).send_vectored_with_flags(parts, FLAGS)
}

/// The parts in one piece, for which there is room.
fn join<'a>(parts: &[IoSlice<'_>], room: &'a mut [u8]) -> &'a [u8] {
    let mut joined = 0;
    for part in parts {
        room[joined..][..part.len()].copy_from_slice(part);
        joined += part.len();
    }
    &room[..joined]
}

/// How much an operation would move that is not cut short. No system takes fewer than 16 parts; of
/// more, nobody can tell here how many were passed on.
fn whole(length: usize, parts: usize) -> usize {
    if parts <= 16 { length } else { 0 }
}

impl<S> Clone for Stream<S> {
    fn clone(&self) -> Stream<S> {
        Stream { object: Rc::clone(&self.object) }
    }
}

impl<S: AsSource + 'static> AsyncRead for &Stream<S>
where
    for<'a> &'a S: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_read_some(cx, (1, bytes.len()), |mut socket| socket.read(bytes))
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = bytes.iter().map(|part| part.len()).sum();
        self.poll_read_some(cx, (bytes.len(), length), |mut socket| socket.read_vectored(bytes))
    }
}

impl<S: AsSource + 'static> AsyncWrite for &Stream<S>
where
    for<'a> &'a S: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_some(cx, (1, bytes.len()), |socket| write(socket, bytes))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let length = bytes.iter().map(|part| part.len()).sum();
        self.poll_write_some(cx, (bytes.len(), length), |socket| {
            write_vectored(socket, bytes, length)
        })
    }

    /// A socket has nothing to flush.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Closes the writing half: the peer reads an end.
    fn poll_close(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.shutdown(Shutdown::Write))
    }
}

impl<S: AsSource + 'static> AsyncRead for Stream<S>
where
    for<'a> &'a S: Read,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read(cx, bytes)
    }

    fn poll_read_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &mut [IoSliceMut<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_read_vectored(cx, bytes)
    }
}

impl<S: AsSource + 'static> AsyncWrite for Stream<S>
where
    for<'a> &'a S: Write,
{
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut &*self).poll_write_vectored(cx, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut &*self).poll_close(cx)
    }
}

impl<S: fmt::Debug> fmt::Debug for Stream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stream").field(&self.object).finish()
    }
}
