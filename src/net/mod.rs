//! TCP, UDP and Unix sockets for tasks on the host thread.
//!
//! Streams are [`AsyncRead`](futures_io::AsyncRead) and [`AsyncWrite`](futures_io::AsyncWrite) of the
//! crate `futures-io`, which is what the ecosystem's protocol crates take. Every type is made with a
//! [`Handle`](crate::Handle), and belongs to that reactor; nothing here is `Send`, and every future
//! runs on the host thread.
//!
//! ```
//! use futures_lite::{AsyncReadExt, AsyncWriteExt};
//! use interloop::Reactor;
//! use interloop::net::{TcpListener, TcpStream};
//!
//! let reactor = Reactor::new()?;
//! let listener = TcpListener::bind(&reactor, "127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let server = reactor.spawn_local(async move {
//!     let (mut stream, _peer) = listener.accept().await?;
//!     stream.write_all(b"hello").await?;
//!     stream.close().await
//! });
//!
//! let handle = reactor.handle();
//! let heard = reactor.block_on(async move {
//!     let mut stream = TcpStream::connect(&handle, address).await?;
//!     let mut text = String::new();
//!     stream.read_to_string(&mut text).await?;
//!     server.await?;
//!     std::io::Result::Ok(text)
//! })??;
//! assert_eq!(heard, "hello");
//! # std::io::Result::Ok(())
//! ```
//!
//! # Which thread does what
//!
//! Names are looked up on the thread pool of the crate `blocking`, a few at a time, unless
//! [`Handle::set_resolver`](crate::Handle::set_resolver) says otherwise. Everything else runs on the
//! host thread, and none of it blocks.
//!
//! # Errors
//!
//! Once the reactor has closed its sources, in its shutdown after the `Before` triggers, every operation
//! fails with `NotConnected`; in a forked child with `Unsupported`. What else each may answer stands at
//! its place. No write raises `SIGPIPE`.
//!
//! # Cancel safety
//!
//! Dropping any future of this module between polls loses no data and no readiness: an operation
//! either has happened, and then its future has ended, or has not.

mod accepted;
mod connect;
mod context;
#[cfg_attr(unix, path = "descriptors/unix.rs")]
#[cfg_attr(windows, path = "descriptors/windows.rs")]
mod descriptors;
mod lookups;
mod resolve;
mod stream;
mod target;
mod tcp;
mod udp;
#[cfg(unix)]
mod unix;

pub use resolve::{Resolve, SystemResolver, lookup};
pub use stream::{ReadHalf, Stream, WriteHalf};
pub use target::{Target, ToTarget};
pub use tcp::{Incoming, TcpListener, TcpStream};
pub use udp::UdpSocket;
#[cfg(unix)]
pub use unix::{UnixDatagram, UnixListener, UnixStream};

pub(crate) use context::Context;

/// A future that owns all it needs, and stays on its thread.
pub type LocalBoxFuture<T> = std::pin::Pin<Box<dyn std::future::Future<Output = T>>>;
