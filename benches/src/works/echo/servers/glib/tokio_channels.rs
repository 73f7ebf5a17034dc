//! tokio on threads of its own, which have all of the I/O. What came in goes to GLib's loop by a channel, as the book
//! of gtk-rs has it: the runtime of `Runtime::new`, with a thread for each processor, and channels of `async-channel`
//! with room for one message. The answer comes back by another such channel, which the book has no example of.

use std::io;

use async_channel::{Receiver, Sender};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Runtime;

use super::run_until;
use crate::works::echo::scene::{BUFFER, Scene, Stream};
use crate::works::echo::servers::streams;

type Message = Vec<u8>;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let runtime = Runtime::new()?;
    let (to_host, from_tokio) = async_channel::bounded(1);
    let (to_tokio, from_host) = async_channel::bounded(1);
    let _entered = runtime.enter();
    for silent in scene.silent {
        runtime.spawn(streams::wait_tokio(silent)?);
    }
    match scene.stream {
        Stream::Unix(stream) => {
            let (reads, writes) = UnixStream::from_std(stream)?.into_split();
            runtime.spawn(read(reads, to_host));
            runtime.spawn(write(writes, from_host));
        }
        Stream::Tcp(stream) => {
            let (reads, writes) = TcpStream::from_std(stream)?.into_split();
            runtime.spawn(read(reads, to_host));
            runtime.spawn(write(writes, from_host));
        }
    }
    let answer = async move {
        while let Ok(message) = from_tokio.recv().await {
            // The one who writes ends after the one who reads.
            let _ = to_tokio.send(message).await;
        }
        Ok(())
    };
    run_until(answer);
    Ok(())
}

/// What comes in goes to the host, until the end of the stream.
async fn read(mut stream: impl AsyncRead + Unpin, to_host: Sender<Message>) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        match stream.read(&mut buffer).await? {
            0 => return Ok(()),
            // The host outlives this side.
            length => drop(to_host.send(buffer[..length].to_vec()).await),
        }
    }
}

/// What the host answers goes out.
async fn write(mut stream: impl AsyncWrite + Unpin, answers: Receiver<Message>) -> io::Result<()> {
    while let Ok(answer) = answers.recv().await {
        stream.write_all(&answer).await?;
    }
    Ok(())
}
