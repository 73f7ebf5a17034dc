//! reqwest, which needs tokio, with its futures polled on the host thread, against hyper on the same
//! thread.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::rc::Rc;

use bytes::Bytes;
use futures_lite::{AsyncRead, AsyncWrite, StreamExt};
use futures_rustls::rustls::crypto::ring;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use interloop::Handle;
use interloop::hyper::Io;
use interloop::net::{TcpListener, TcpStream};
use interloop_ecosystem::{Authority, Home, everywhere};
use reqwest::{Body, Certificate, Client};

/// Sends each request's body back, as it comes, over what `wrap` makes of a connection.
fn serve_echo<S, F>(handle: &Handle, wrap: impl Fn(TcpStream) -> F + 'static) -> SocketAddr
where
    S: AsyncRead + AsyncWrite + Unpin + 'static,
    F: Future<Output = Option<S>> + 'static,
{
    let listener = TcpListener::bind(handle, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (home, on) = (Home::here(), handle.clone());
    let serve = async move {
        loop {
            let stream = wrap(listener.accept().await.unwrap().0);
            let echo = service_fn(move |request: Request<Incoming>| async move {
                home.check();
                let found = request.uri().path() == "/echo";
                let status = if found { StatusCode::OK } else { StatusCode::NOT_FOUND };
                let answer = Response::builder().status(status);
                Ok::<_, Infallible>(answer.body(request.into_body().boxed()).unwrap())
            });
            let connection = async move {
                let Some(stream) = stream.await else { return };
                http1::Builder::new().serve_connection(Io::new(stream), echo).await.unwrap();
            };
            on.spawn_local(connection).detach();
        }
    };
    handle.spawn_local(serve).detach();
    address
}

/// A client that trusts these authorities, and no others.
fn client<const N: usize>(roots: [Certificate; N]) -> Client {
    // Without a choice of ours it refuses to be built, even for those who use no TLS.
    let _chosen_already = ring::default_provider().install_default();
    Client::builder().no_proxy().tls_certs_only(roots).build().unwrap()
}

/// What the requests do besides: it cannot leave this thread.
#[derive(Clone)]
struct Progress(Rc<Cell<usize>>, Home);

impl Progress {
    fn step(&self) {
        self.1.check();
        self.0.set(self.0.get() + 1);
    }
}

fn progress() -> Progress {
    Progress(Rc::default(), Home::here())
}

#[test]
fn requests_are_answered() {
    everywhere(|handle| async move {
        let address = serve_echo(&handle, |stream| async { Some(stream) });
        let progress = progress();
        // It is made outside of tokio's context, and used inside.
        let client = client([]);
        let requests: Vec<_> = (0..20)
            .map(|number| {
                let (client, progress) = (client.clone(), progress.clone());
                handle.spawn_tokio(async move {
                    let url = format!("http://{address}/echo");
                    let text = format!("text {number}");
                    let answer = client.post(url).body(text.clone()).send().await.unwrap();
                    progress.step();
                    assert_eq!(answer.status(), StatusCode::OK);
                    assert_eq!(answer.text().await.unwrap(), text);
                    progress.step();
                })
            })
            .collect();
        for request in requests {
            request.await;
        }
        let lost = client.get(format!("http://{address}/elsewhere"));
        let lost = handle.spawn_tokio(async move { lost.send().await.unwrap().status() }).await;
        assert_eq!(lost, StatusCode::NOT_FOUND);
        assert_eq!(progress.0.get(), 40);
    });
}

#[test]
fn bodies_stream_both_ways() {
    everywhere(|handle| async move {
        let address = serve_echo(&handle, |stream| async { Some(stream) });
        let progress = progress();
        let seen = progress.clone();
        let task = handle.spawn_tokio(async move {
            let client = client([]);
            let chunk = Bytes::from(vec![7; 64 * 1024]);
            let chunks = vec![Ok::<_, Infallible>(chunk); 64];
            let body = Body::wrap_stream(stream::iter(chunks));
            let request = client.post(format!("http://{address}/echo")).body(body);
            let mut answer = request.send().await.unwrap().bytes_stream();
            let mut size = 0;
            while let Some(chunk) = answer.next().await {
                let chunk = chunk.unwrap();
                assert!(chunk.iter().all(|&byte| byte == 7));
                size += chunk.len();
                seen.step();
            }
            size
        });
        assert_eq!(task.await, 4 << 20);
        assert!(progress.0.get() > 0);
    });
}

#[test]
fn a_server_is_trusted_by_its_authority_only() {
    everywhere(|handle| async move {
        let authority = Authority::new();
        let acceptor = authority.acceptor();
        let accept = move |stream| {
            let handshake = acceptor.accept(stream);
            // Who does not trust the server goes away in the handshake.
            async { handshake.await.ok() }
        };
        let address = serve_echo(&handle, accept);
        let url = format!("https://{address}/echo");
        let task = handle.spawn_tokio(async move {
            let root = |authority: Authority| Certificate::from_der(authority.root()).unwrap();
            let trusting = client([root(authority)]);
            let answer = trusting.post(&url).body("secret").send().await.unwrap();
            assert_eq!(answer.text().await.unwrap(), "secret");
            let doubting = client([root(Authority::new())]);
            let error = doubting.post(&url).body("secret").send().await.unwrap_err();
            assert!(error.is_connect(), "{error:?}");
        });
        task.await;
    });
}
