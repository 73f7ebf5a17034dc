//! TCP sockets that are connected to.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;

use futures_core::Stream as FuturesStream;
use socket2::{Domain, Protocol, Socket, Type};

use super::{BACKLOG, TcpStream};
use crate::async_object::Async;
use crate::handle::Handle;
use crate::label::Label;
use crate::net::accepted::each_accepted;
use crate::net::{Context, ToTarget};
use crate::source::RegisterError;
use crate::task::Task;

/// A TCP socket that is connected to.
pub struct TcpListener {
    object: Rc<Async<std::net::TcpListener>>,
    handle: Handle,
}

impl TcpListener {
    /// Listens on the first address of the target that can be bound; port 0 is any free one. Of
    /// names, only `localhost` is known here.
    ///
    /// On Unix the address can be bound again at once after the listener is closed (`SO_REUSEADDR`).
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a target without an address; what the operating system said of the last
    /// address, with that address: `AddrInUse`, `PermissionDenied`, `AddrNotAvailable`.
    #[track_caller]
    pub fn bind<A: ToTarget>(handle: &Handle, target: A) -> io::Result<TcpListener> {
        let label = Label::caller();
        let mut last = None;
        for address in target.to_target()?.addresses()? {
            match listen(address) {
                Ok(socket) => {
                    let object = Async::labelled(handle, socket, label)?;
                    return Ok(TcpListener { object: Rc::new(object), handle: handle.clone() });
                }
                Err(error) => {
                    last = Some(Context::add(format_args!("listen on {address}"), error));
                }
            }
        }
        Err(last.unwrap_or_else(|| io::ErrorKind::InvalidInput.into()))
    }

    /// Makes a listener of the standard library asynchronous.
    ///
    /// # Errors
    ///
    /// As [`Async::new`](crate::Async::new), with the listener handed back.
    #[track_caller]
    pub fn new(
        handle: &Handle,
        listener: std::net::TcpListener,
    ) -> Result<TcpListener, RegisterError<std::net::TcpListener>> {
        let object = Rc::new(Async::new(handle, listener)?);
        Ok(TcpListener { object, handle: handle.clone() })
    }

    /// Waits for a connection, and gives it with the address of its peer.
    ///
    /// # Errors
    ///
    /// What the operating system said. When the process is out of descriptors (`EMFILE`), the
    /// connection stays in line: wait a little (`sleep`), or until one was closed, before the next
    /// call, which would fail at once. A peer that went away before it was accepted is passed over.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (socket, peer) = self.object.read_with(accept).await?;
        Ok((TcpStream::new(&self.handle, socket)?, peer))
    }

    /// The connections, one after the other, as a stream that never ends. An error does not end it:
    /// see [`accept`](TcpListener::accept).
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// As [`accept`](TcpListener::accept), for those who write a `poll` function of their own.
    ///
    /// # Errors
    ///
    /// As [`accept`](TcpListener::accept).
    pub fn poll_accept(
        &self,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let (socket, peer) = std::task::ready!(self.object.poll_read_with(cx, accept))?;
        Poll::Ready(match TcpStream::new(&self.handle, socket) {
            Ok(stream) => Ok((stream, peer)),
            Err(refused) => Err(refused.into()),
        })
    }

    /// Calls `callback` on the host thread with each connection, until it answers
    /// `ControlFlow::Break(())` or the task is dropped: for programs without `async`.
    ///
    /// An error, as when the process is out of descriptors, does not end it: the next connection is accepted
    /// after a pause of 10 ms, which doubles with each further error, up to 1 s, and is 10 ms again after the
    /// next connection. It ends, after a call with that error, once the reactor has closed its sources, or the
    /// backend has noticed that the descriptor was closed elsewhere. See [`accept`](TcpListener::accept).
    #[track_caller]
    pub fn on_connection(
        self,
        callback: impl FnMut(io::Result<(TcpStream, SocketAddr)>) -> ControlFlow<()> + 'static,
    ) -> Task<()> {
        let listener = Rc::clone(&self.object);
        each_accepted(listener, Label::caller(), move |cx| self.poll_accept(cx), callback)
    }

    /// The address that it listens on.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// Lends the object underneath, for operations that this type does not have.
    pub fn as_async(&self) -> &Async<std::net::TcpListener> {
        &self.object
    }

    /// Lends the socket of the standard library.
    pub fn get_ref(&self) -> &std::net::TcpListener {
        self.object.get_ref()
    }
}

/// Accepts, and passes over who has gone away in line.
fn accept(listener: &std::net::TcpListener) -> io::Result<(std::net::TcpStream, SocketAddr)> {
    loop {
        match listener.accept() {
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            result => return result,
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // On Windows this would let another process take the address.
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TcpListener").field(&self.object).finish()
    }
}

/// The connections of a [`TcpListener`], from [`TcpListener::incoming`].
#[must_use = "streams do nothing unless polled"]
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a TcpListener,
}

impl FuturesStream for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn poll_next(
        self: Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<Option<io::Result<TcpStream>>> {
        self.listener.poll_accept(cx).map(|accepted| Some(accepted.map(|(stream, _)| stream)))
    }
}
