//! TCP.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;

use futures_core::Stream as FuturesStream;
use socket2::{Domain, Protocol, SockRef, Socket, TcpKeepalive, Type};

use super::connect::connect_any;
use super::resolve::lookup;
use super::stream::Stream;
use super::{Context, LocalBoxFuture, ToTarget};
use crate::async_object::Async;
use crate::label::Label;
use crate::reactor::Handle;
use crate::source::RegisterError;
use crate::task::Task;

/// A TCP connection.
pub type TcpStream = Stream<std::net::TcpStream>;

impl Stream<std::net::TcpStream> {
    /// Connects to the first address of the target that answers.
    ///
    /// A name is looked up with the reactor's resolver. Where there are several addresses, the two
    /// families take turns, the next address is tried when one has failed or has not answered for
    /// 250 ms, and the first connection wins (RFC 8305, "Happy Eyeballs").
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a target that is none; `NotFound` when the look-up failed; why each address
    /// could not be connected to, with the kind of the first one's error. A connection that nobody answers fails
    /// with `TimedOut` when the operating system gives it up, after minutes:
    /// [`connect_timeout`](TcpStream::connect_timeout) has a limit.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes what was not connected yet.
    #[track_caller]
    pub fn connect<A: ToTarget>(
        handle: &Handle,
        target: A,
    ) -> LocalBoxFuture<io::Result<TcpStream>> {
        let label = Label::caller();
        let target = target.to_target();
        let handle = handle.clone();
        Box::pin(async move {
            let target = target?;
            let name = target.to_string();
            let addresses = lookup(&handle, target).await?;
            connect_any(handle, addresses, name, label).await
        })
    }

    /// As [`connect`](TcpStream::connect), for at most `limit`, look-up and all.
    ///
    /// # Errors
    ///
    /// `TimedOut` when `limit` has passed, and those of [`connect`](TcpStream::connect).
    ///
    /// # Cancel safety
    ///
    /// As [`connect`](TcpStream::connect).
    #[track_caller]
    pub fn connect_timeout<A: ToTarget>(
        handle: &Handle,
        target: A,
        limit: Duration,
    ) -> LocalBoxFuture<io::Result<TcpStream>> {
        let name = target.to_target();
        let connected = handle.timeout(limit, TcpStream::connect(handle, target));
        Box::pin(async move {
            match connected.await {
                Ok(connected) => connected,
                Err(error) => {
                    let what = format!("connect to {}", name?);
                    Err(Context::add(what, error))
                }
            }
        })
    }

    /// Reads what comes without taking it.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn peek(&self, bytes: &mut [u8]) -> io::Result<usize> {
        self.as_async().read_with(|socket| socket.peek(bytes)).await
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// What the operating system said; `NotConnected` when the connection has ended.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().peer_addr()
    }

    /// Sends small writes at once (`TCP_NODELAY`), and does not collect them.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.get_ref().set_nodelay(nodelay)
    }

    /// True when small writes are sent at once.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.get_ref().nodelay()
    }

    /// Probes a connection on which nothing has come for `idle`, so that a peer that vanished is
    /// noticed; None stops that. How often it is probed is up to the operating system; for more, see
    /// `socket2::SockRef::from(&stream)`.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn set_keepalive(&self, idle: Option<Duration>) -> io::Result<()> {
        let socket = SockRef::from(self.get_ref());
        match idle {
            Some(idle) => socket.set_tcp_keepalive(&TcpKeepalive::new().with_time(idle)),
            None => socket.set_keepalive(false),
        }
    }

    /// How many routers a packet may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.get_ref().set_ttl(ttl)
    }

    /// How many routers a packet may pass.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn ttl(&self) -> io::Result<u32> {
        self.get_ref().ttl()
    }
}

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
    /// `ControlFlow::Break(())` or the task is dropped: for programs without `async`. An error does not
    /// end it, but that the reactor has closed its sources. See [`accept`](TcpListener::accept).
    #[track_caller]
    pub fn on_connection(
        self,
        mut callback: impl FnMut(io::Result<(TcpStream, SocketAddr)>) -> ControlFlow<()> + 'static,
    ) -> Task<()> {
        let core = Rc::clone(self.object.core());
        let label = Label::caller();
        let each = async move {
            loop {
                let accepted = self.accept().await;
                let closed = accepted.is_err() && self.object.core().sources.is_closed();
                if callback(accepted).is_break() || closed {
                    return;
                }
            }
        };
        core.spawn(each, label)
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

/// How many connections may wait to be accepted, where the operating system allows as many.
pub(super) const BACKLOG: i32 = 1024;

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
