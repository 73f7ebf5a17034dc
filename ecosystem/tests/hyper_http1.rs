//! hyper's HTTP/1, server and client, on the host thread.

use std::cell::Cell;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use bytes::Bytes;
use futures_lite::{AsyncReadExt, AsyncWriteExt};
use futures_util::stream;
use http_body_util::{BodyExt, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use interloop::Handle;
use interloop::hyper::{Io, Timer};
use interloop::net::{TcpListener, TcpStream};
use interloop_ecosystem::{Home, everywhere};

/// Sends each request's body back, as it comes. Counts the connections.
fn serve_echo(handle: &Handle) -> (SocketAddr, Rc<Cell<usize>>) {
    let listener = TcpListener::bind(handle, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (home, connections) = (Home::here(), Rc::new(Cell::new(0)));
    let (on, count, timer) = (handle.clone(), Rc::clone(&connections), Timer::new(handle));
    let serve = async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            count.set(count.get() + 1);
            let echo = service_fn(move |request: Request<Incoming>| async move {
                home.check();
                let mut answer = Response::builder();
                for name in [CONTENT_LENGTH, TRANSFER_ENCODING] {
                    if let Some(value) = request.headers().get(&name) {
                        answer = answer.header(format!("x-{name}"), value);
                    }
                }
                Ok::<_, Infallible>(answer.body(request.into_body()).unwrap())
            });
            let connection =
                http1::Builder::new().timer(timer.clone()).serve_connection(Io::new(stream), echo);
            on.spawn_local(async move { connection.await.unwrap() }).detach();
        }
    };
    handle.spawn_local(serve).detach();
    (address, connections)
}

async fn connect<B>(handle: &Handle, address: SocketAddr) -> SendRequest<B>
where
    B: Body + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(handle, address).await.unwrap();
    let (client, connection) =
        hyper::client::conn::http1::handshake(Io::new(stream)).await.unwrap();
    handle.spawn_local(async move { connection.await.unwrap() }).detach();
    client
}

#[test]
fn a_thousand_requests_over_ten_connections_are_answered() {
    everywhere(|handle| async move {
        let (address, connections) = serve_echo(&handle);
        let clients: Vec<_> = (0..10)
            .map(|number| {
                let on = handle.clone();
                handle.spawn_local(async move {
                    let mut client = connect::<Full<Bytes>>(&on, address).await;
                    for round in 0..100 {
                        let text = format!("request {round} of client {number}");
                        let body = Full::from(text.clone());
                        client.ready().await.unwrap();
                        let answer = client.send_request(Request::post("/").body(body).unwrap());
                        let answer = answer.await.unwrap();
                        let length = answer.headers()["x-content-length"].to_str().unwrap();
                        assert_eq!(length, text.len().to_string());
                        let body = answer.into_body().collect().await.unwrap().to_bytes();
                        assert_eq!(body, text);
                    }
                })
            })
            .collect();
        for client in clients {
            client.await;
        }
        assert_eq!(connections.get(), 10, "they are kept alive");
    });
}

#[test]
fn chunked_bodies_go_both_ways() {
    everywhere(|handle| async move {
        let (address, _) = serve_echo(&handle);
        let mut client = connect(&handle, address).await;
        // From one byte to what no socket buffer takes at once.
        let sizes = [1, 7, 4096, 65_537, 4 << 20];
        for _ in 0..3 {
            let chunk = |(at, size)| Bytes::from(vec![b'a' + at as u8; size]);
            let chunks: Vec<_> = sizes.into_iter().enumerate().map(chunk).collect();
            let whole = chunks.concat();
            let frames = chunks.into_iter().map(|chunk| Ok::<_, Infallible>(Frame::data(chunk)));
            let body = StreamBody::new(stream::iter(frames));
            client.ready().await.unwrap();
            let answer = client.send_request(Request::post("/").body(body).unwrap());
            let answer = answer.await.unwrap();
            assert_eq!(answer.headers()["x-transfer-encoding"], "chunked");
            assert_eq!(answer.headers()[TRANSFER_ENCODING], "chunked");
            assert!(answer.into_body().collect().await.unwrap().to_bytes() == whole);
        }
    });
}

#[test]
fn a_header_that_does_not_come_ends_the_connection() {
    everywhere(|handle| async move {
        let listener = TcpListener::bind(&handle, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(&handle, address).await.unwrap();
        client.write_all(b"GET / HTTP/1.1\r\nHost: here\r\nX-Half").await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        let never = service_fn(|_: Request<Incoming>| async {
            Err::<Response<Full<Bytes>>, _>("the request is not whole")
        });
        let served = http1::Builder::new()
            .timer(Timer::new(&handle))
            .header_read_timeout(Duration::from_millis(50))
            .serve_connection(Io::new(stream), never)
            .await;
        assert!(served.unwrap_err().is_timeout());
        let mut rest = Vec::new();
        client.read_to_end(&mut rest).await.unwrap();
        assert_eq!(rest, b"");
    });
}
