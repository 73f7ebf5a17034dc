//! Serves the files of a folder over HTTP/1.1: `cargo run --features hyper --example http_server`.
//!
//! The protocol is hyper's, on the one thread of the reactor; files are read on the thread pool, a
//! chunk at a time. The service is no `Send` and shares its state by `Rc`.

#[path = "http_server/body.rs"]
mod body;
#[path = "common/interrupt.rs"]
mod interrupt;
#[path = "http_server/listing.rs"]
mod listing;
#[path = "http_server/options.rs"]
mod options;
#[path = "http_server/range.rs"]
mod range;
#[path = "http_server/respond.rs"]
mod respond;
#[path = "http_server/site.rs"]
mod site;

use std::error::Error;
use std::io::{self, Write};
use std::pin::pin;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

use async_channel::{Receiver, Sender};
use futures_lite::future;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use interloop::hyper::{Io, Timer};
use interloop::net::{TcpListener, TcpStream};
use interloop::{Phase, Reactor};
use options::Options;
use respond::Server;
use site::Site;

/// How long to wait when a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// How long the requests that run may take to their end, once the server is asked to stop.
const GRACE: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    match serve(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let hint = match error.kind() {
                io::ErrorKind::AddrInUse => {
                    ": another program listens there; give another --listen"
                }
                _ => "",
            };
            eprintln!("http_server: {error}{hint}");
            ExitCode::FAILURE
        }
    }
}

fn serve(options: &Options) -> io::Result<()> {
    let site = Site::open(&options.root)?;
    let reactor = Reactor::new()?;
    let listener = TcpListener::bind(&reactor, options.listen.as_str())?;
    let address = listener.local_addr()?;
    writeln!(io::stdout(), "serving {} at http://{address}/", site.root().display())?;

    // Nothing is sent through these channels: a connection hears when the one is closed, and is
    // heard of until it drops its sender of the other.
    let (stop, stopping) = async_channel::bounded(1);
    let (here, gone) = async_channel::bounded(1);
    let server = Rc::new(Server { handle: reactor.handle(), site, timeout: options.timeout });
    let accepting = accept(server, listener, Presence { stopping, _here: here });
    let accepting = reactor.spawn_local(accepting).label("accept");

    let handle = reactor.handle();
    let farewell = async move {
        // Cancels the task, which closes the listener.
        drop(accepting);
        stop.close();
        // Requests that run are answered. What takes too long is cut off.
        let _late = handle.timeout(GRACE, gone.recv()).await;
    };
    reactor.on_shutdown(Phase::Before, farewell)?.label("farewell").detach();
    let handle = reactor.handle();
    let interrupted = interrupt::interrupted(&handle)?;
    reactor.spawn_then(interrupted, move |()| handle.stop()).label("signals").detach();
    reactor.run()
}

/// What a connection has of the server's beginning and end.
#[derive(Clone)]
struct Presence {
    stopping: Receiver<()>,
    _here: Sender<()>,
}

async fn accept(server: Rc<Server>, listener: TcpListener, presence: Presence) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let conversation = converse(Rc::clone(&server), stream, presence.clone());
                let tell = move |outcome: hyper::Result<()>| {
                    if let Err(error) = outcome {
                        eprintln!("http_server: {peer}: {}", with_causes(&error));
                    }
                };
                server.handle.spawn_then(conversation, tell).label("connection").detach();
            }
            // Out of descriptors, for instance. The next call would fail at once.
            Err(error) => {
                eprintln!("http_server: cannot accept a connection: {error}");
                server.handle.sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Answers the requests of one connection, until the client has enough, or the server ends.
async fn converse(server: Rc<Server>, stream: TcpStream, presence: Presence) -> hyper::Result<()> {
    let (handle, timeout) = (server.handle.clone(), server.timeout);
    let service = service_fn(move |request| Rc::clone(&server).respond(request));
    let connection = http1::Builder::new()
        .timer(Timer::new(&handle))
        .header_read_timeout(timeout)
        .serve_connection(Io::new(stream), service);
    let mut connection = pin!(connection);
    let stopped = async {
        let _closed = presence.stopping.recv().await;
        None
    };
    match future::or(async { Some(connection.as_mut().await) }, stopped).await {
        Some(outcome) => outcome,
        None => {
            // Answers the request that it is at, if any, and closes.
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    }
}

/// An error of hyper's says why only in its sources.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
