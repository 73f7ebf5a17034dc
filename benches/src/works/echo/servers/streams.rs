//! The echo as a task writes it, on the streams of those who have some.

use std::io;
use std::os::unix::net::UnixDatagram;

use async_io::Async;
use futures_lite::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::works::echo::scene::{BUFFER, Stream};

/// On a stream of `futures-io`, until its end.
pub(super) async fn echo(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
    }
}

/// On a stream of `async-io`, until its end.
pub(super) async fn echo_async_io(stream: Stream) -> io::Result<()> {
    match stream {
        Stream::Unix(stream) => echo(Async::new_nonblocking(stream)?).await,
        Stream::Tcp(stream) => echo(Async::new_nonblocking(stream)?).await,
    }
}

/// Registers a socket with the reactor of `async-io`, and gives a task that waits for ever.
pub(super) fn wait_async_io(
    silent: UnixDatagram,
) -> io::Result<impl Future<Output = io::Result<()>> + Send> {
    let silent = Async::new_nonblocking(silent)?;
    Ok(async move { silent.readable().await })
}

/// On a stream of tokio, until its end.
pub(super) async fn echo_tokio(stream: Stream) -> io::Result<()> {
    match stream {
        Stream::Unix(stream) => pass_on_tokio(tokio::net::UnixStream::from_std(stream)?).await,
        Stream::Tcp(stream) => pass_on_tokio(tokio::net::TcpStream::from_std(stream)?).await,
    }
}

async fn pass_on_tokio(
    mut stream: impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
) -> io::Result<()> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let mut buffer = [0; BUFFER];
    loop {
        let length = stream.read(&mut buffer).await?;
        if length == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..length]).await?;
    }
}

/// Registers a socket with the reactor of tokio, and gives a task that waits for ever.
pub(super) fn wait_tokio(
    silent: UnixDatagram,
) -> io::Result<impl Future<Output = io::Result<()>> + Send> {
    let silent = tokio::net::UnixDatagram::from_std(silent)?;
    Ok(async move { silent.readable().await })
}
