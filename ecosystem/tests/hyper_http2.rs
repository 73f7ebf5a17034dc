//! hyper's HTTP/2, server and client, on the host thread.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::{Body, Frame, Incoming};
use hyper::client::conn::http2::SendRequest;
use hyper::service::service_fn;
use hyper::{Request, Response, Version};
use interloop::Handle;
use interloop::hyper::{Executor, Io, Timer};
use interloop::net::{TcpListener, TcpStream};
use interloop_ecosystem::{Home, everywhere};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Sends each request's body back, as it comes.
fn serve_echo(handle: &Handle) -> SocketAddr {
    let listener = TcpListener::bind(handle, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (home, on) = (Home::here(), handle.clone());
    let serve = async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let echo = service_fn(move |request: Request<Incoming>| async move {
                home.check();
                assert_eq!(request.version(), Version::HTTP_2);
                Ok::<_, Infallible>(Response::new(request.into_body()))
            });
            let connection = hyper::server::conn::http2::Builder::new(Executor::new(&on))
                .timer(Timer::new(&on))
                .keep_alive_interval(Duration::from_millis(20))
                .serve_connection(Io::new(stream), echo);
            on.spawn_local(async move { connection.await.unwrap() }).detach();
        }
    };
    handle.spawn_local(serve).detach();
    address
}

async fn connect<B>(handle: &Handle, address: SocketAddr) -> SendRequest<B>
where
    B: Body + Unpin + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let stream = TcpStream::connect(handle, address).await.unwrap();
    let (client, connection) = hyper::client::conn::http2::Builder::new(Executor::new(handle))
        .timer(Timer::new(handle))
        .keep_alive_interval(Duration::from_millis(20))
        .handshake(Io::new(stream))
        .await
        .unwrap();
    handle.spawn_local(async move { connection.await.unwrap() }).detach();
    client
}

#[test]
fn many_streams_share_a_connection() {
    everywhere(|handle| async move {
        let address = serve_echo(&handle);
        let client = connect::<Full<Bytes>>(&handle, address).await;
        let requests: Vec<_> = (0..64_usize)
            .map(|number| {
                let mut client = client.clone();
                handle.spawn_local(async move {
                    for round in 0..4 {
                        let bytes = Bytes::from(vec![number as u8; number * 1024 + round]);
                        let request = Request::post("/").body(Full::new(bytes.clone())).unwrap();
                        client.ready().await.unwrap();
                        let answer = client.send_request(request).await.unwrap();
                        assert_eq!(answer.version(), Version::HTTP_2);
                        let body = answer.into_body().collect().await.unwrap().to_bytes();
                        assert!(body == bytes);
                    }
                })
            })
            .collect();
        for request in requests {
            request.await;
        }
    });
}

/// A piece is sent when the one before has come back.
#[test]
fn both_sides_of_a_stream_talk_at_the_same_time() {
    everywhere(|handle| async move {
        let address = serve_echo(&handle);
        let mut client = connect(&handle, address).await;
        let (pieces, body) = mpsc::channel::<Bytes>(1);
        let body = ReceiverStream::new(body).map(|piece| Ok::<_, Infallible>(Frame::data(piece)));
        let request = Request::post("/").body(StreamBody::new(body)).unwrap();
        let mut answer = client.send_request(request).await.unwrap().into_body();
        for number in 0..200_u32 {
            let piece = Bytes::from(number.to_string());
            pieces.send(piece.clone()).await.unwrap();
            let frame = answer.frame().await.unwrap().unwrap();
            assert_eq!(frame.into_data().unwrap(), piece);
        }
        drop(pieces);
        assert!(answer.collect().await.unwrap().to_bytes().is_empty());
    });
}

#[test]
fn a_peer_that_answers_no_ping_ends_the_connection() {
    everywhere(|handle| async move {
        let listener = TcpListener::bind(&handle, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(&handle, address).await.unwrap();
        let (silent, _) = listener.accept().await.unwrap();
        let (client, connection) = hyper::client::conn::http2::Builder::new(Executor::new(&handle))
            .timer(Timer::new(&handle))
            .keep_alive_interval(Duration::from_millis(20))
            .keep_alive_timeout(Duration::from_millis(50))
            .keep_alive_while_idle(true)
            .handshake::<_, Empty<Bytes>>(Io::new(stream))
            .await
            .unwrap();
        let error = connection.await.unwrap_err();
        assert!(error.is_timeout(), "{error:?}");
        drop((client, silent));
    });
}
