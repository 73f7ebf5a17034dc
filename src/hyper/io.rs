//! Streams for hyper.
#![allow(unsafe_code)]

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};
use hyper::rt::{Read, ReadBufCursor, Write};

/// How much of hyper's buffer one read may fill, in bytes, at first and at most. So much is zeroed before
/// each read, so that it follows what comes: it doubles when a read has filled it.
const ROOM: (usize, usize) = (1024, 64 * 1024);

/// A stream of `futures-io`, as hyper reads and writes it.
///
/// hyper's vectored writes reach the stream's own. One that has none writes their first part.
///
/// # Panics
///
/// Reading panics when the stream claims to have read more than there was room for.
#[derive(Clone, Debug)]
pub struct Io<T> {
    stream: T,
    /// How much the next read may fill.
    room: usize,
}

impl<T> Io<T> {
    /// Lends hyper a stream.
    pub fn new(stream: T) -> Io<T> {
        Io { stream, room: ROOM.0 }
    }

    /// Lends the stream.
    pub fn get_ref(&self) -> &T {
        &self.stream
    }

    /// Lends the stream for changes.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.stream
    }

    /// Gives the stream back, as after an upgrade of the connection.
    pub fn into_inner(self) -> T {
        self.stream
    }
}

impl<T: AsyncRead + Unpin> Read for Io<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        mut cursor: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        let length = cursor.remaining().min(self.room);
        let bytes = cursor.initialize_unfilled_to(length);
        let read = ready!(Pin::new(&mut self.stream).poll_read(cx, bytes))?;
        assert!(read <= length, "a stream has read {read} bytes into a buffer of {length}");
        if read == self.room {
            self.room = (self.room * 2).min(ROOM.1);
        }
        // SAFETY: the first `length` bytes were initialised above, and `read` is no more than that.
        unsafe { cursor.advance(read) };
        Poll::Ready(Ok(()))
    }
}

impl<T: AsyncWrite + Unpin> Write for Io<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(cx)
    }
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use std::mem::MaybeUninit;
    use std::task::Waker;

    use hyper::rt::ReadBuf;

    use super::*;

    /// Fills all the room that there is, and claims to have read `more` than that.
    struct Filling {
        more: usize,
    }

    impl AsyncRead for Filling {
        fn poll_read(
            self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            bytes: &mut [u8],
        ) -> Poll<io::Result<usize>> {
            bytes.fill(b'x');
            Poll::Ready(Ok(bytes.len() + self.more))
        }
    }

    fn read(io: &mut Io<Filling>, buffer: &mut ReadBuf<'_>) {
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(io).poll_read(&mut cx, buffer.unfilled()).is_ready());
    }

    #[test]
    fn a_read_takes_twice_as_much_as_the_last_one_that_was_full_up_to_a_limit() {
        let mut io = Io::new(Filling { more: 0 });
        let mut room = ROOM.0;
        for _ in 0..10 {
            let mut bytes = vec![MaybeUninit::uninit(); ROOM.1 + 100];
            let mut buffer = ReadBuf::uninit(&mut bytes);
            read(&mut io, &mut buffer);
            assert!(buffer.filled() == vec![b'x'; room]);
            room = (room * 2).min(ROOM.1);
        }
        assert_eq!(room, ROOM.1);
    }

    #[test]
    fn a_read_takes_no_more_than_there_is_room_for() {
        let mut io = Io::new(Filling { more: 0 });
        let mut bytes = [MaybeUninit::uninit(); 10];
        let mut buffer = ReadBuf::uninit(&mut bytes);
        read(&mut io, &mut buffer);
        assert_eq!(buffer.filled(), [b'x'; 10]);
        read(&mut io, &mut buffer);
        assert_eq!(buffer.filled().len(), 10);
    }

    #[test]
    #[should_panic(expected = "a stream has read 11 bytes into a buffer of 10")]
    fn a_stream_that_claims_more_than_there_was_room_for_is_found_out() {
        let mut bytes = [MaybeUninit::uninit(); 10];
        read(&mut Io::new(Filling { more: 1 }), &mut ReadBuf::uninit(&mut bytes));
    }
}
