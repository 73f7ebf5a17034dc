//! What hyper 1.x asks of a runtime: streams, an executor, a timer.
//!
//! [`Io`] makes a stream of this crate, or any other of `futures-io`, one that hyper reads and
//! writes. [`Executor`] runs hyper's futures, which need not be `Send`: a service may hold an `Rc` or
//! a widget. [`Timer`] is for hyper's own limits, as that for the header of a request. Everything
//! runs on the host thread.
//!
//! ```
//! use std::cell::Cell;
//! use std::convert::Infallible;
//! use std::rc::Rc;
//!
//! use http_body_util::{BodyExt, Empty};
//! use hyper::body::Bytes;
//! use hyper::service::service_fn;
//! use hyper::{Request, Response};
//! use interloop::Reactor;
//! use interloop::hyper::{Io, Timer};
//! use interloop::net::{TcpListener, TcpStream};
//!
//! let reactor = Reactor::new()?;
//! let listener = TcpListener::bind(&reactor, "127.0.0.1:0")?;
//! let address = listener.local_addr()?;
//! let (handle, timer) = (reactor.handle(), Timer::new(&reactor));
//! let visits = Rc::new(Cell::new(0));
//! let server = reactor.spawn_local(async move {
//!     loop {
//!         let Ok((stream, _peer)) = listener.accept().await else { return };
//!         let visits = Rc::clone(&visits);
//!         let answer = service_fn(move |_: Request<_>| {
//!             visits.set(visits.get() + 1);
//!             let text = format!("visit {}", visits.get());
//!             async move { Ok::<_, Infallible>(Response::new(text)) }
//!         });
//!         let mut http = hyper::server::conn::http1::Builder::new();
//!         http.timer(timer.clone());
//!         let connection = http.serve_connection(Io::new(stream), answer);
//!         handle.spawn_local(async move { drop(connection.await) }).detach();
//!     }
//! });
//!
//! let handle = reactor.handle();
//! let text = reactor.block_on(async move {
//!     let stream = TcpStream::connect(&handle, address).await.unwrap();
//!     let (mut client, connection) =
//!         hyper::client::conn::http1::handshake(Io::new(stream)).await?;
//!     handle.spawn_local(async move { drop(connection.await) }).detach();
//!     let answer = client.send_request(Request::new(Empty::<Bytes>::new())).await?;
//!     answer.into_body().collect().await.map(|body| body.to_bytes())
//! })?.unwrap();
//! assert_eq!(text, "visit 1");
//! drop(server);
//! # std::io::Result::Ok(())
//! ```

mod io;
mod timer;

use std::fmt;
use std::future::Future;

pub use io::Io;
pub use timer::Timer;

use crate::handle::Handle;
use crate::label::Label;

/// Runs the futures that hyper makes, on the host thread, as detached tasks.
///
/// A panic of one comes out of the turn that polls it, as with
/// [`Task::detach`](crate::Task::detach). Reports and dumps name the tasks by the place where the
/// executor was made. After the end of the reactor the futures are dropped.
#[derive(Clone)]
pub struct Executor {
    handle: Handle,
    label: Label,
}

impl Executor {
    /// The executor of a reactor.
    #[track_caller]
    pub fn new(handle: &Handle) -> Executor {
        Executor { handle: handle.clone(), label: Label::caller() }
    }
}

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + 'static,
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        self.handle.core().spawn(future, self.label.clone()).detach();
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Executor").field(&self.label).finish()
    }
}
