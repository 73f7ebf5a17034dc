//! The leanest form of tokio beside GLib's loop that we know: a runtime of one thread, one task, and channels of
//! tokio's own without a limit.

use std::io;
use std::thread;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream};
use tokio::runtime::Builder;
use tokio::sync::mpsc;

use super::run_until;
use crate::works::echo::scene::{BUFFER, Scene, Stream};
use crate::works::echo::servers::streams;

type Message = Vec<u8>;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let (to_host, mut from_tokio) = mpsc::unbounded_channel();
    let (to_tokio, from_host) = mpsc::unbounded_channel();
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let tokio = thread::spawn(move || {
        runtime.block_on(async {
            for silent in scene.silent {
                tokio::spawn(streams::wait_tokio(silent)?);
            }
            match scene.stream {
                Stream::Unix(stream) => {
                    converse(UnixStream::from_std(stream)?, to_host, from_host).await
                }
                Stream::Tcp(stream) => {
                    converse(TcpStream::from_std(stream)?, to_host, from_host).await
                }
            }
        })
    });
    run_until(async move {
        while let Some(message) = from_tokio.recv().await {
            // tokio's side ends first.
            let _ = to_tokio.send(message);
        }
        Ok(())
    });
    tokio.join().expect("tokio's thread does not panic")
}

/// Carries messages between the stream and the host, until the end of the stream.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    to_host: mpsc::UnboundedSender<Message>,
    mut from_host: mpsc::UnboundedReceiver<Message>,
) -> io::Result<()> {
    let mut buffer = [0; BUFFER];
    loop {
        tokio::select! {
            read = stream.read(&mut buffer) => match read? {
                0 => return Ok(()),
                // The host outlives this side.
                length => drop(to_host.send(buffer[..length].to_vec())),
            },
            Some(answer) = from_host.recv() => stream.write_all(&answer).await?,
        }
    }
}
