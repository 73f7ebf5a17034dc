//! What a server is given: a connection to echo on, and descriptors that stay silent.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};

/// What a server works on.
pub(crate) struct Scene {
    /// Does not block.
    pub(crate) stream: Stream,
    /// To be registered for reading before the stream is, and to be kept so. None ever is readable.
    pub(crate) silent: Vec<UnixDatagram>,
}

/// Which kind of connection.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Pair,
    Tcp,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::Pair => "socketpair",
            Kind::Tcp => "tcp",
        }
    }
}

/// One end of a connection.
pub(crate) enum Stream {
    Unix(UnixStream),
    Tcp(TcpStream),
}

impl Stream {
    /// The server's end, which does not block, and the client's, which does.
    pub(crate) fn pair(kind: Kind) -> io::Result<(Stream, Stream)> {
        match kind {
            Kind::Pair => {
                let (ours, theirs) = UnixStream::pair()?;
                ours.set_nonblocking(true)?;
                Ok((Stream::Unix(ours), Stream::Unix(theirs)))
            }
            Kind::Tcp => {
                let listener = TcpListener::bind(("127.0.0.1", 0))?;
                let theirs = TcpStream::connect(listener.local_addr()?)?;
                let (ours, _) = listener.accept()?;
                ours.set_nonblocking(true)?;
                ours.set_nodelay(true)?;
                theirs.set_nodelay(true)?;
                Ok((Stream::Tcp(ours), Stream::Tcp(theirs)))
            }
        }
    }

    /// What a callback of any system does when the stream is readable: one read, and one write of what
    /// came. False at the end of the stream.
    pub(crate) fn pass_on(&self) -> io::Result<bool> {
        let mut buffer = [0; BUFFER];
        let length = match self.io().read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            read => read?,
        };
        // One byte at a time is on its way, so there is room for it.
        self.io().write_all(&buffer[..length])?;
        Ok(length > 0)
    }

    pub(crate) fn io(&self) -> Io<'_> {
        match self {
            Stream::Unix(stream) => Io::Unix(stream),
            Stream::Tcp(stream) => Io::Tcp(stream),
        }
    }
}

/// The buffer of every server.
pub(crate) const BUFFER: usize = 64;

impl AsFd for Stream {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Stream::Unix(stream) => stream.as_fd(),
            Stream::Tcp(stream) => stream.as_fd(),
        }
    }
}

/// A borrowed stream, which can be read from and written to.
pub(crate) enum Io<'a> {
    Unix(&'a UnixStream),
    Tcp(&'a TcpStream),
}

impl Read for Io<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Io::Unix(stream) => stream.read(buffer),
            Io::Tcp(stream) => stream.read(buffer),
        }
    }
}

impl Write for Io<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Io::Unix(stream) => stream.write(bytes),
            Io::Tcp(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
