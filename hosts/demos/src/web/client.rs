//! From an address to the head of an answer.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::io;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncRead, AsyncWrite};
use futures_rustls::TlsConnector;
use futures_rustls::pki_types::ServerName;
use futures_rustls::rustls;
use http_body_util::Empty;
use hyper::Request;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{self, HeaderName};
use interloop::Handle;
use interloop::hyper::Io;
use interloop::net::TcpStream;
use url::Url;

use super::address;
use super::error::{Error, ErrorKind, with_causes};
use super::response::Response;
use super::tls;

/// How many redirects are followed: more of them are a circle.
const REDIRECTS: usize = 10;

/// How long to wait for anything at all, unless told otherwise.
const PATIENCE: Duration = Duration::from_secs(30);

/// Fetches, any number of things at a time. A clone is another handle of the same client.
#[derive(Clone)]
pub struct Client {
    shared: Rc<Shared>,
}

struct Shared {
    handle: Handle,
    patience: Duration,
    /// Made when it is needed first.
    tls: RefCell<Option<TlsConnector>>,
}

/// What a client does before there is an answer. It is displayed as a line for a person.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Step {
    /// It looks the host up, and connects to it.
    Connecting(Url),
    /// It makes the connection safe.
    Securing(Url),
    /// It has asked, and waits for the head of the answer.
    Waiting(Url),
    /// The answer was that what is looked for is there.
    Redirected(Url),
}

impl Client {
    /// A client on a reactor.
    pub fn new(handle: &Handle) -> Client {
        Client::with_patience(handle, PATIENCE)
    }

    /// A client that gives up when nothing at all has come for `patience`; otherwise that is 30 s.
    pub fn with_patience(handle: &Handle, patience: Duration) -> Client {
        let (handle, tls) = (handle.clone(), RefCell::new(None));
        Client { shared: Rc::new(Shared { handle, patience, tls }) }
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.shared.handle
    }

    /// Asks for what is at an address, and follows where that leads. Before each of its steps it calls
    /// `on_step`.
    ///
    /// The scheme of the address may be left out. An answer such as 404 is an answer, and no error.
    ///
    /// # Errors
    ///
    /// Why there is no answer: any kind but [`ErrorKind::CutOff`].
    ///
    /// # Cancel safety
    ///
    /// Dropping the future closes the connection.
    pub async fn get(&self, address: &str, on_step: impl FnMut(Step)) -> Result<Response, Error> {
        self.get_with(address, &[], on_step).await
    }

    /// As [`get`](Client::get), and asks with more header fields, such as a range.
    ///
    /// # Errors
    ///
    /// Those of [`get`](Client::get).
    ///
    /// # Cancel safety
    ///
    /// That of [`get`](Client::get).
    pub async fn get_with(
        &self,
        address: &str,
        fields: &[(HeaderName, String)],
        mut on_step: impl FnMut(Step),
    ) -> Result<Response, Error> {
        let first = address::parse(address)?;
        let mut url = first.clone();
        for _ in 0..=REDIRECTS {
            let response = self.ask(&url, fields, &mut on_step).await?;
            let head = response.head();
            let is_redirect = matches!(head.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(location) = head.field(header::LOCATION).filter(|_| is_redirect) else {
                return Ok(response);
            };
            url = address::join(&url, location)?;
            on_step(Step::Redirected(url.clone()));
        }
        let message =
            format!("{first}: more than {REDIRECTS} redirects; the last one leads to {url}");
        Err(Error::new(ErrorKind::Redirect, message))
    }

    async fn ask(
        &self,
        url: &Url,
        fields: &[(HeaderName, String)],
        on_step: &mut dyn FnMut(Step),
    ) -> Result<Response, Error> {
        on_step(Step::Connecting(url.clone()));
        let stream = TcpStream::connect(self.handle(), address::target(url));
        let stream = self.in_time(url, stream).await?.map_err(|error| unreached(url, &error))?;
        if !address::is_tls(url) {
            return self.exchange(url, fields, stream, on_step).await;
        }
        on_step(Step::Securing(url.clone()));
        let failed = |why: &str| Error::new(ErrorKind::Tls, format!("{url}: {why}"));
        let tls = self.tls().await.map_err(|why| failed(&why))?;
        let name = ServerName::try_from(address::host(url));
        let name = name.map_err(|error| failed(&error.to_string()))?;
        let stream = self.in_time(url, tls.connect(name, stream)).await?;
        let stream = stream.map_err(|error| failed(&untrusted(&error)))?;
        self.exchange(url, fields, stream, on_step).await
    }

    async fn exchange<S>(
        &self,
        url: &Url,
        fields: &[(HeaderName, String)],
        stream: S,
        on_step: &mut dyn FnMut(Step),
    ) -> Result<Response, Error>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        on_step(Step::Waiting(url.clone()));
        let failed = |error: hyper::Error| {
            Error::new(ErrorKind::Protocol, format!("{url}: {}", with_causes(&error)))
        };
        let (mut sender, connection) = http1::handshake(Io::new(stream)).await.map_err(failed)?;
        // What fails on the connection is told to who waits for the answer, or for its body.
        let connection = self.handle().spawn_then(connection, drop).label("connection");
        let request = request(url, fields).map_err(|error| {
            Error::new(ErrorKind::Address, format!("{url}: {}", with_causes(&error)))
        })?;
        let response: hyper::Response<Incoming> =
            self.in_time(url, sender.send_request(request)).await?.map_err(failed)?;
        Ok(Response::new(self, url.clone(), response, connection))
    }

    async fn tls(&self) -> Result<TlsConnector, String> {
        if let Some(tls) = self.shared.tls.borrow().clone() {
            return Ok(tls);
        }
        let tls = tls::connector(self.handle()).await?;
        self.shared.tls.replace(Some(tls.clone()));
        Ok(tls)
    }

    /// Waits, but not for ever.
    pub(super) async fn in_time<F: Future>(
        &self,
        url: &Url,
        future: F,
    ) -> Result<F::Output, Error> {
        let limit = self.shared.patience;
        self.handle().timeout(limit, future).await.map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::TimedOut => format!("nothing has come for {limit:?}"),
                _ => error.to_string(),
            };
            Error::new(ErrorKind::Silence, format!("{url}: {why}"))
        })
    }
}

fn request(
    url: &Url,
    fields: &[(HeaderName, String)],
) -> Result<Request<Empty<Bytes>>, hyper::http::Error> {
    let mut request = Request::get(address::path_and_query(url))
        .header(header::HOST, address::authority(url))
        .header(header::USER_AGENT, concat!("interloop-demos/", env!("CARGO_PKG_VERSION")))
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close");
    for (name, value) in fields {
        request = request.header(name, value);
    }
    request.body(Empty::new())
}

fn unreached(url: &Url, error: &io::Error) -> Error {
    let hint = match error.kind() {
        io::ErrorKind::ConnectionRefused => "; nothing listens there: check the port",
        io::ErrorKind::NotFound => "; check the name of the host",
        _ => "",
    };
    Error::new(ErrorKind::Connect, format!("{url}: {error}{hint}"))
}

fn untrusted(error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let hint = match cause {
        Some(rustls::Error::InvalidCertificate(_)) => {
            "; where you trust who signed it, name that certificate's file in SSL_CERT_FILE"
        }
        Some(rustls::Error::InvalidMessage(_)) => "; it may know no TLS: try http://",
        _ => "",
    };
    format!("TLS: {error}{hint}")
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Connecting(url) => write!(f, "Connecting to {}", address::authority(url)),
            Step::Securing(url) => write!(f, "Securing the connection to {}", address::host(url)),
            Step::Waiting(url) => write!(f, "Waiting for {}", address::authority(url)),
            Step::Redirected(url) => write!(f, "Redirected to {url}"),
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("patience", &self.shared.patience).finish_non_exhaustive()
    }
}
