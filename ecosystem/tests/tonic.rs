//! tonic, whose client needs tokio, with its futures polled on the host thread. The server is tonic's
//! codec over hyper, on the same thread.

use std::cell::Cell;
use std::convert::Infallible;
use std::future::{Ready, ready};
use std::net::SocketAddr;
use std::rc::Rc;

use hyper::body::Incoming;
use hyper::http::uri::PathAndQuery;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use interloop::Handle;
use interloop::hyper::{Executor, Io};
use interloop::net::TcpListener;
use interloop_ecosystem::{Home, everywhere};
use tokio_stream::{Iter, iter};
use tonic::client::Grpc as Client;
use tonic::server::{Grpc as Server, ServerStreamingService, UnaryService};
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};
use tonic_prost::ProstCodec;

#[derive(Clone, PartialEq, prost::Message)]
struct Question {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(uint32, tag = "2")]
    times: u32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Answer {
    #[prost(string, tag = "1")]
    text: String,
    #[prost(uint32, tag = "2")]
    number: u32,
}

/// The service, as generated code would call it.
#[derive(Clone, Copy)]
struct Echo(Home);

impl UnaryService<Question> for Echo {
    type Response = Answer;
    type Future = Ready<Result<Response<Answer>, Status>>;

    fn call(&mut self, request: Request<Question>) -> Self::Future {
        self.0.check();
        let Question { text, times: number } = request.into_inner();
        ready(match number {
            0 => Err(Status::invalid_argument("asked zero times")),
            _ => Ok(Response::new(Answer { text, number })),
        })
    }
}

impl ServerStreamingService<Question> for Echo {
    type Response = Answer;
    type ResponseStream = Iter<std::vec::IntoIter<Result<Answer, Status>>>;
    type Future = Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, request: Request<Question>) -> Self::Future {
        self.0.check();
        let Question { text, times } = request.into_inner();
        let answers = (0..times).map(|number| Ok(Answer { text: text.clone(), number }));
        ready(Ok(Response::new(iter(answers.collect::<Vec<_>>()))))
    }
}

fn serve(handle: &Handle) -> SocketAddr {
    let listener = TcpListener::bind(handle, "127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (echo, on) = (Echo(Home::here()), handle.clone());
    let serve = async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(move |request: hyper::Request<Incoming>| async move {
                let mut grpc = Server::new(ProstCodec::default());
                Ok::<_, Infallible>(match request.uri().path() {
                    "/test.Echo/Once" => grpc.unary(echo, request).await,
                    "/test.Echo/Often" => grpc.server_streaming(echo, request).await,
                    _ => Status::unimplemented("no such method").into_http(),
                })
            });
            let connection =
                http2::Builder::new(Executor::new(&on)).serve_connection(Io::new(stream), service);
            // Its end is the client's to choose.
            on.spawn_local(async move { drop(connection.await) }).detach();
        }
    };
    handle.spawn_local(serve).detach();
    address
}

async fn connect(address: SocketAddr) -> Client<Channel> {
    let endpoint = Endpoint::try_from(format!("http://{address}")).unwrap();
    Client::new(endpoint.connect().await.unwrap())
}

async fn once(
    client: &mut Client<Channel>,
    path: &'static str,
    times: u32,
) -> Result<Answer, Status> {
    client.ready().await.unwrap();
    let request = Request::new(Question { text: "echo".to_owned(), times });
    let path = PathAndQuery::from_static(path);
    Ok(client.unary(request, path, ProstCodec::default()).await?.into_inner())
}

#[test]
fn a_unary_call_is_answered() {
    everywhere(|handle| async move {
        let (address, home) = (serve(&handle), Home::here());
        // Neither this nor the future that holds it can leave the thread.
        let sum = Rc::new(Cell::new(0));
        let total = Rc::clone(&sum);
        let calls = handle.spawn_tokio(async move {
            let mut client = connect(address).await;
            for times in 1..=50 {
                let answer = once(&mut client, "/test.Echo/Once", times).await.unwrap();
                home.check();
                assert_eq!(answer, Answer { text: "echo".to_owned(), number: times });
                total.set(total.get() + answer.number);
            }
            let refused = once(&mut client, "/test.Echo/Once", 0).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(refused.message(), "asked zero times");
            let unknown = once(&mut client, "/test.Echo/Never", 1).await.unwrap_err();
            assert_eq!(unknown.code(), Code::Unimplemented);
        });
        calls.await;
        assert_eq!(sum.get(), 50 * 51 / 2);
    });
}

#[test]
fn a_call_that_streams_is_answered_to_the_end() {
    everywhere(|handle| async move {
        const ANSWERS: u32 = 10_000;
        let (address, home) = (serve(&handle), Home::here());
        let seen = Rc::new(Cell::new(0));
        let count = Rc::clone(&seen);
        let call = handle.spawn_tokio(async move {
            let mut client = connect(address).await;
            client.ready().await.unwrap();
            let request = Request::new(Question { text: "echo".to_owned(), times: ANSWERS });
            let path = PathAndQuery::from_static("/test.Echo/Often");
            let codec = ProstCodec::<Question, Answer>::default();
            let answers = client.server_streaming(request, path, codec).await.unwrap();
            let mut answers = answers.into_inner();
            while let Some(answer) = answers.message().await.unwrap() {
                home.check();
                assert_eq!(answer.number, count.get());
                count.set(count.get() + 1);
            }
        });
        call.await;
        assert_eq!(seen.get(), ANSWERS);
    });
}
