//! Unix datagram sockets.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::net::{SocketAddr, UnixDatagram as StdDatagram};
use std::path::Path;
use std::rc::Rc;

use interloop_backends::Interest;

use super::FULL;
use crate::async_object::Async;
use crate::handle::Handle;
use crate::label::Label;
use crate::net::Context;
use crate::source::RegisterError;
use crate::task::Task;
use crate::timer::Sleep;

/// A Unix datagram socket. A clone is another handle of the same socket.
///
/// # Cancel safety
///
/// Dropping a future between polls loses no datagram.
#[derive(Clone)]
pub struct UnixDatagram {
    object: Rc<Async<StdDatagram>>,
    /// Of the sleeps in front of a full peer.
    label: Label,
}

impl UnixDatagram {
    /// Binds a socket to `path`, which must not exist.
    ///
    /// # Errors
    ///
    /// What the operating system said, with the path.
    #[track_caller]
    pub fn bind(handle: &Handle, path: impl AsRef<Path>) -> io::Result<UnixDatagram> {
        let label = Label::caller();
        let path = path.as_ref();
        let socket = StdDatagram::bind(path)
            .map_err(|error| Context::add(format_args!("bind to {}", path.display()), error))?;
        UnixDatagram::labelled(handle, socket, label)
    }

    /// A socket without an address, which nobody can answer.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    #[track_caller]
    pub fn unbound(handle: &Handle) -> io::Result<UnixDatagram> {
        UnixDatagram::labelled(handle, StdDatagram::unbound()?, Label::caller())
    }

    /// Two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    #[track_caller]
    pub fn pair(handle: &Handle) -> io::Result<(UnixDatagram, UnixDatagram)> {
        let label = Label::caller();
        let (one, other) = StdDatagram::pair()?;
        let other = UnixDatagram::labelled(handle, other, label.clone())?;
        Ok((UnixDatagram::labelled(handle, one, label)?, other))
    }

    /// Makes a socket of the standard library asynchronous.
    ///
    /// # Errors
    ///
    /// As [`Async::new`](crate::Async::new), with the socket handed back.
    #[track_caller]
    pub fn new(
        handle: &Handle,
        socket: StdDatagram,
    ) -> Result<UnixDatagram, RegisterError<StdDatagram>> {
        let label = Label::caller();
        Ok(UnixDatagram { object: Rc::new(Async::new(handle, socket)?), label })
    }

    fn labelled(handle: &Handle, socket: StdDatagram, label: Label) -> io::Result<UnixDatagram> {
        socket.set_nonblocking(true)?;
        let object = Rc::new(Async::labelled(handle, socket, label.clone())?);
        Ok(UnixDatagram { object, label })
    }

    /// Sends to the socket at `path` from now on.
    ///
    /// # Errors
    ///
    /// What the operating system said, with the path.
    pub fn connect(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        let what = format_args!("connect to {}", path.display()).to_string();
        self.get_ref().connect(path).map_err(|error| Context::add(what, error))
    }

    /// Sends a datagram to the socket at `path`, when there is room for it.
    ///
    /// # Errors
    ///
    /// What the operating system said: `NotFound`, `ConnectionRefused`; `NotConnected` once the reactor
    /// has closed its sources; `Unsupported` in a forked child. While the line in front of an unconnected peer is full, the operating
    /// system does not tell when there is room, and it is tried again, after 1 to 50 ms: a connected
    /// socket waits without trying.
    pub async fn send_to(&self, bytes: &[u8], path: impl AsRef<Path>) -> io::Result<usize> {
        let (path, core) = (path.as_ref(), self.object.core());
        let mut pause = FULL.0;
        loop {
            core.credit().await;
            // Nothing else would say so: neither the socket nor a sleep asks the reactor.
            core.check_open()?;
            match self.get_ref().send_to(bytes, path) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                result => return result,
            }
            Sleep::new(core, pause, self.label.clone()).await;
            pause = (pause * 2).min(FULL.1);
        }
    }

    /// Receives a datagram. What does not fit into `bytes` is lost.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub async fn recv_from(&self, bytes: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.object.read_with(|socket| socket.recv_from(bytes)).await
    }

    /// Sends a datagram to the peer of a connected socket.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub async fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.object.write_with(|socket| socket.send(bytes)).await
    }

    /// Receives a datagram from the peer of a connected socket.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub async fn recv(&self, bytes: &mut [u8]) -> io::Result<usize> {
        self.object.read_with(|socket| socket.recv(bytes)).await
    }

    /// Calls `callback` on the host thread whenever the socket is ready for `interest`, until it answers
    /// `ControlFlow::Break(())` or the task is dropped: for programs without `async`. It reads or writes
    /// by the socket of the standard library, which does not block, as much as it likes; while more is
    /// there, it is called again. Once the reactor has closed its sources, it is called with that error,
    /// and not again.
    #[track_caller]
    pub fn on_ready(
        &self,
        interest: Interest,
        callback: impl FnMut(io::Result<&StdDatagram>) -> ControlFlow<()> + 'static,
    ) -> Task<()> {
        Rc::clone(&self.object).each_ready(interest, Label::caller(), callback)
    }

    /// Lends the socket of the standard library.
    pub fn get_ref(&self) -> &StdDatagram {
        self.object.get_ref()
    }

    /// Lends the object underneath, for operations that this type does not have.
    pub fn as_async(&self) -> &Async<StdDatagram> {
        &self.object
    }
}

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnixDatagram").field(&self.object).finish()
    }
}
