//! Connections over Unix sockets.

use std::io;
use std::path::Path;

use socket2::{Domain, SockAddr, Socket, Type};

use super::FULL;
use crate::async_object::Async;
use crate::handle::Handle;
use crate::label::Label;
use crate::net::connect::{begin, established};
use crate::net::stream::Stream;
use crate::net::{Context, LocalBoxFuture};

/// A connection over a Unix socket.
pub type UnixStream = Stream<std::os::unix::net::UnixStream>;

impl Stream<std::os::unix::net::UnixStream> {
    /// Connects to the socket at `path`. While the line in front of its listener is full, it is tried
    /// again.
    ///
    /// # Errors
    ///
    /// What the operating system said, with the path: `NotFound`, `ConnectionRefused` when nobody
    /// listens, `PermissionDenied`; `InvalidInput` for a path that is too long.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the socket.
    #[track_caller]
    pub fn connect(
        handle: &Handle,
        path: impl AsRef<Path>,
    ) -> LocalBoxFuture<io::Result<UnixStream>> {
        let label = Label::caller();
        let handle = handle.clone();
        let path = path.as_ref().to_owned();
        Box::pin(async move {
            let connected = connect(&handle, &path, label).await;
            if connected.is_err() {
                handle.core().credit().await;
            }
            let what = format_args!("connect to {}", path.display()).to_string();
            connected.map_err(|error| Context::add(what, error))
        })
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    ///
    /// What the operating system said.
    #[track_caller]
    pub fn pair(handle: &Handle) -> io::Result<(UnixStream, UnixStream)> {
        let label = Label::caller();
        let (one, other) = std::os::unix::net::UnixStream::pair()?;
        let make = |socket: std::os::unix::net::UnixStream| {
            socket.set_nonblocking(true)?;
            // As the standard library has it for all others.
            #[cfg(target_vendor = "apple")]
            socket2::SockRef::from(&socket).set_nosigpipe(true)?;
            io::Result::Ok(Stream::from_object(Async::labelled(handle, socket, label.clone())?))
        };
        Ok((make(one)?, make(other)?))
    }
}

async fn connect(handle: &Handle, path: &Path, label: Label) -> io::Result<UnixStream> {
    let address = SockAddr::unix(path)?;
    let mut pause = FULL.0;
    let socket = loop {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        match begin(&socket, &address) {
            Ok(()) => break socket,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
        handle.sleep(pause).await;
        // In a shutdown the sleep ends at once, and nothing would end this.
        handle.check_sources()?;
        pause = (pause * 2).min(FULL.1);
    };
    let socket = std::os::unix::net::UnixStream::from(std::os::fd::OwnedFd::from(socket));
    let object = Async::connecting(handle, socket, label)?;
    established(&object, |socket| socket.peer_addr().map(drop)).await?;
    Ok(UnixStream::from_object(object))
}
