//! hyper's side, which is the same on every system.

use std::cell::Cell;
use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::rt::{Read, Write};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};

pub(super) const BODY: &[u8] = b"Hello, world!";

thread_local! {
    /// Stands for what only the host's thread may touch.
    static VISITS: Cell<u64> = const { Cell::new(0) };
}

/// What is asked of the host's thread.
pub(super) fn visit() -> Bytes {
    VISITS.set(VISITS.get() + 1);
    Bytes::from_static(BODY)
}

/// Serves one connection, on the host's thread.
pub(super) async fn serve(stream: impl Read + Write + Unpin) {
    serve_with(stream, async || visit()).await;
}

/// Serves one connection with what `visit` answers.
pub(super) async fn serve_with<F: Future<Output = Bytes>>(
    stream: impl Read + Write + Unpin,
    visit: impl Fn() -> F,
) {
    let answer = service_fn(|_: Request<Incoming>| {
        let body = visit();
        async { Ok::<_, Infallible>(Response::new(Full::new(body.await))) }
    });
    // The client ends its connections without a word.
    let _ended = http1::Builder::new().serve_connection(stream, answer).await;
}

/// Where the server listens, not blocking.
pub(super) fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}
