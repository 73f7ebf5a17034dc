//! Unix sockets that are connected to.

use std::fmt;
use std::io;
use std::ops::ControlFlow;
use std::os::unix::net::{SocketAddr, UnixListener as StdListener};
use std::path::Path;
use std::rc::Rc;
use std::task::{Poll, ready};

use socket2::{Domain, SockAddr, Socket, Type};

use super::UnixStream;
use crate::async_object::Async;
use crate::handle::Handle;
use crate::label::Label;
use crate::net::accepted::each_accepted;
use crate::net::{Context, tcp};
use crate::source::RegisterError;
use crate::task::Task;

/// A Unix socket that is connected to.
pub struct UnixListener {
    object: Rc<Async<StdListener>>,
    handle: Handle,
}

impl UnixListener {
    /// Listens at `path`, which must not exist; it is not removed when the listener is closed.
    ///
    /// # Errors
    ///
    /// What the operating system said, with the path: `AddrInUse` when there is something already, a
    /// socket that a process left behind too.
    #[track_caller]
    pub fn bind(handle: &Handle, path: impl AsRef<Path>) -> io::Result<UnixListener> {
        let label = Label::caller();
        let path = path.as_ref();
        let listen = || {
            let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
            socket.set_nonblocking(true)?;
            socket.bind(&SockAddr::unix(path)?)?;
            socket.listen(tcp::BACKLOG)?;
            io::Result::Ok(StdListener::from(std::os::fd::OwnedFd::from(socket)))
        };
        let listener = listen()
            .map_err(|error| Context::add(format_args!("listen on {}", path.display()), error))?;
        let object = Rc::new(Async::labelled(handle, listener, label)?);
        Ok(UnixListener { object, handle: handle.clone() })
    }

    /// Makes a listener of the standard library asynchronous.
    ///
    /// # Errors
    ///
    /// As [`Async::new`](crate::Async::new), with the listener handed back.
    #[track_caller]
    pub fn new(
        handle: &Handle,
        listener: StdListener,
    ) -> Result<UnixListener, RegisterError<StdListener>> {
        let object = Rc::new(Async::new(handle, listener)?);
        Ok(UnixListener { object, handle: handle.clone() })
    }

    /// Waits for a connection, and gives it with the address of its peer.
    ///
    /// # Errors
    ///
    /// As [`TcpListener::accept`](crate::net::TcpListener::accept).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (socket, peer) = self.object.read_with(StdListener::accept).await?;
        Ok((UnixStream::new(&self.handle, socket)?, peer))
    }

    /// As [`accept`](UnixListener::accept), for those who write a `poll` function of their own.
    ///
    /// # Errors
    ///
    /// As [`accept`](UnixListener::accept).
    pub fn poll_accept(
        &self,
        cx: &mut std::task::Context<'_>,
    ) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let (socket, peer) = ready!(self.object.poll_read_with(cx, StdListener::accept))?;
        Poll::Ready(match UnixStream::new(&self.handle, socket) {
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
    /// backend has noticed that the descriptor was closed elsewhere. See [`accept`](UnixListener::accept).
    #[track_caller]
    pub fn on_connection(
        self,
        callback: impl FnMut(io::Result<(UnixStream, SocketAddr)>) -> ControlFlow<()> + 'static,
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
    pub fn as_async(&self) -> &Async<StdListener> {
        &self.object
    }

    /// Lends the socket of the standard library.
    pub fn get_ref(&self) -> &StdListener {
        self.object.get_ref()
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UnixListener").field(&self.object).finish()
    }
}
