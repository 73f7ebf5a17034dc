//! The server: what comes goes back.

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use interloop::Handle;
use interloop::net::{TcpListener, TcpStream};

use super::load::LONGEST;

/// Takes connections until the listener is closed.
pub(super) async fn serve(handle: Handle, listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        handle.spawn_local(echo(stream)).label("echo").detach();
    }
}

async fn echo(mut stream: TcpStream) {
    let mut bytes = [0; LONGEST];
    // The client's end hears of a failure too, and counts it.
    let _not_delayed = stream.get_ref().set_nodelay(true);
    while let Ok(count @ 1..) = stream.read(&mut bytes).await {
        if stream.write_all(&bytes[..count]).await.is_err() {
            return;
        }
    }
}
