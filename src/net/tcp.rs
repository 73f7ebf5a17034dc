//! TCP.

mod listener;

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

pub use listener::{Incoming, TcpListener};
use socket2::{SockRef, TcpKeepalive};

use super::connect::connect_any;
use super::resolve::lookup;
use super::stream::Stream;
use super::{Context, LocalBoxFuture, ToTarget};
use crate::handle::Handle;
use crate::label::Label;

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

/// How many connections may wait to be accepted, where the operating system allows as many.
pub(super) const BACKLOG: i32 = 1024;
