//! tokio on threads of its own, which have all of the I/O. What came in goes to GLib's loop by a channel,
//! and the answer comes back by another.

use std::io;

use async_channel::{Receiver, Sender};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};

use super::run_until;
use crate::works::echo::scene::{BUFFER, Scene, Stream};
use crate::works::echo::servers::streams;

type Message = Vec<u8>;

/// As the book of gtk-rs has it: the runtime of `Runtime::new`, with a thread for each processor, and channels
/// of `async-channel` with room for one message.
pub(super) fn of_the_book(scene: Scene) -> io::Result<()> {
    let runtime = Runtime::new()?;
    serve(scene, &runtime, async_channel::bounded(1), async_channel::bounded(1))
}

/// The least that this arrangement can do with: one thread, and channels without a limit.
pub(super) fn lean(scene: Scene) -> io::Result<()> {
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_io().build()?;
    serve(scene, &runtime, async_channel::unbounded(), async_channel::unbounded())
}

type Channel = (Sender<Message>, Receiver<Message>);

fn serve(scene: Scene, runtime: &Runtime, to_host: Channel, to_tokio: Channel) -> io::Result<()> {
    let _entered = runtime.enter();
    for silent in scene.silent {
        runtime.spawn(streams::wait_tokio(silent)?);
    }
    match scene.stream {
        Stream::Unix(stream) => {
            let (reads, writes) = UnixStream::from_std(stream)?.into_split();
            runtime.spawn(read(reads, to_host.0));
            runtime.spawn(write(writes, to_tokio.1));
        }
        Stream::Tcp(stream) => {
            let (reads, writes) = TcpStream::from_std(stream)?.into_split();
            runtime.spawn(read(reads, to_host.0));
            runtime.spawn(write(writes, to_tokio.1));
        }
    }
    let answer = async move {
        while let Ok(message) = to_host.1.recv().await {
            // The one who writes ends after the one who reads.
            let _ = to_tokio.0.send(message).await;
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
