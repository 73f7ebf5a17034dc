//! UDP.

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::rc::Rc;

use interloop_backends::Interest;

use super::{Context, ToTarget};
use crate::async_object::Async;
use crate::handle::Handle;
use crate::label::Label;
use crate::source::RegisterError;
use crate::task::Task;

/// A UDP socket. A clone is another handle of the same socket, and any number of tasks may send and
/// receive at a time; each datagram goes to one of them.
///
/// # Cancel safety
///
/// Dropping a future between polls loses no datagram.
#[derive(Clone)]
pub struct UdpSocket {
    object: Rc<Async<std::net::UdpSocket>>,
}

impl UdpSocket {
    /// Binds a socket to the first address of the target that can be bound; port 0 is any free one.
    /// Of names, only `localhost` is known here.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a target without an address; what the operating system said, with the
    /// address.
    #[track_caller]
    pub fn bind<A: ToTarget>(handle: &Handle, target: A) -> io::Result<UdpSocket> {
        let label = Label::caller();
        let target = target.to_target()?;
        let what = format!("bind to {target}");
        let addresses = target.addresses()?;
        let socket =
            std::net::UdpSocket::bind(&addresses[..]).map_err(|error| Context::add(what, error))?;
        socket.set_nonblocking(true)?;
        Ok(UdpSocket { object: Rc::new(Async::labelled(handle, socket, label)?) })
    }

    /// Makes a socket of the standard library asynchronous.
    ///
    /// # Errors
    ///
    /// As [`Async::new`](crate::Async::new), with the socket handed back.
    #[track_caller]
    pub fn new(
        handle: &Handle,
        socket: std::net::UdpSocket,
    ) -> Result<UdpSocket, RegisterError<std::net::UdpSocket>> {
        Ok(UdpSocket { object: Rc::new(Async::new(handle, socket)?) })
    }

    /// Sends to `peer` and receives from nobody else, from now on. It sends nothing, and does not
    /// wait. Of names, only `localhost` is known here.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for a target without an address; what the operating system said.
    pub fn connect<A: ToTarget>(&self, peer: A) -> io::Result<()> {
        let peer = peer.to_target()?;
        let what = format!("connect to {peer}");
        self.get_ref().connect(&peer.addresses()?[..]).map_err(|error| Context::add(what, error))
    }

    /// Sends a datagram to `peer`.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub async fn send_to(&self, bytes: &[u8], peer: SocketAddr) -> io::Result<usize> {
        self.object.write_with(|socket| socket.send_to(bytes, peer)).await
    }

    /// Receives a datagram. What does not fit into `bytes` is lost.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub async fn recv_from(&self, bytes: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.object.read_with(|socket| socket.recv_from(bytes)).await
    }

    /// Receives a datagram and leaves it to be received again.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub async fn peek_from(&self, bytes: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.object.read_with(|socket| socket.peek_from(bytes)).await
    }

    /// Sends a datagram to the peer of a connected socket.
    ///
    /// # Errors
    ///
    /// What the operating system said: `ConnectionRefused`, when an earlier datagram found nobody.
    pub async fn send(&self, bytes: &[u8]) -> io::Result<usize> {
        self.object.write_with(|socket| socket.send(bytes)).await
    }

    /// Receives a datagram from the peer of a connected socket.
    ///
    /// # Errors
    ///
    /// As [`send`](UdpSocket::send).
    pub async fn recv(&self, bytes: &mut [u8]) -> io::Result<usize> {
        self.object.read_with(|socket| socket.recv(bytes)).await
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().local_addr()
    }

    /// The peer of a connected socket.
    ///
    /// # Errors
    ///
    /// `NotConnected` when it has none.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.get_ref().peer_addr()
    }

    /// Receives what is sent to a multicast group, on the interface that the operating system
    /// chooses.
    ///
    /// # Errors
    ///
    /// What the operating system said, with the group.
    pub fn join_multicast(&self, group: IpAddr) -> io::Result<()> {
        let joined = match group {
            IpAddr::V4(group) => self.get_ref().join_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(group) => self.get_ref().join_multicast_v6(&group, 0),
        };
        joined.map_err(|error| Context::add(format_args!("join {group}"), error))
    }

    /// Leaves a multicast group.
    ///
    /// # Errors
    ///
    /// What the operating system said, with the group.
    pub fn leave_multicast(&self, group: IpAddr) -> io::Result<()> {
        let left = match group {
            IpAddr::V4(group) => self.get_ref().leave_multicast_v4(&group, &Ipv4Addr::UNSPECIFIED),
            IpAddr::V6(group) => self.get_ref().leave_multicast_v6(&group, 0),
        };
        left.map_err(|error| Context::add(format_args!("leave {group}"), error))
    }

    /// Whether what this socket sends to a group comes back to this machine (`IP_MULTICAST_LOOP`).
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn set_multicast_loop(&self, on: bool) -> io::Result<()> {
        match self.local_addr()? {
            SocketAddr::V4(_) => self.get_ref().set_multicast_loop_v4(on),
            SocketAddr::V6(_) => self.get_ref().set_multicast_loop_v6(on),
        }
    }

    /// How many routers a datagram to an IPv4 group may pass (`IP_MULTICAST_TTL`).
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn set_multicast_ttl(&self, ttl: u32) -> io::Result<()> {
        self.get_ref().set_multicast_ttl_v4(ttl)
    }

    /// How many routers a datagram may pass (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.get_ref().set_ttl(ttl)
    }

    /// Allows datagrams to a broadcast address.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.get_ref().set_broadcast(on)
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
        callback: impl FnMut(io::Result<&std::net::UdpSocket>) -> ControlFlow<()> + 'static,
    ) -> Task<()> {
        Rc::clone(&self.object).each_ready(interest, Label::caller(), callback)
    }

    /// Lends the socket of the standard library.
    pub fn get_ref(&self) -> &std::net::UdpSocket {
        self.object.get_ref()
    }

    /// Lends the object underneath, for operations that this type does not have.
    pub fn as_async(&self) -> &Async<std::net::UdpSocket> {
        &self.object
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("UdpSocket").field(&self.object).finish()
    }
}
