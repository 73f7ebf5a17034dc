//! One request and the head of its response.

use std::error::Error;
use std::future::Future;
use std::io;
use std::time::Duration;

use futures_lite::{AsyncRead, AsyncWrite};
use futures_rustls::TlsConnector;
use futures_rustls::pki_types::ServerName;
use futures_rustls::rustls;
use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::{Request, Response, header};
use interloop::hyper::Io;
use interloop::net::TcpStream;
use interloop::{Handle, Task};

use crate::Result;
use crate::url::Url;

/// What it takes to send requests.
pub struct Client<'a> {
    pub handle: &'a Handle,
    /// Made when it is needed first.
    pub tls: Option<TlsConnector>,
    /// How long to wait for anything at all.
    pub timeout: Duration,
}

/// A response whose body is still to come, and the task that drives its connection, which ends when
/// this is dropped.
pub struct Exchange {
    pub response: Response<Incoming>,
    _connection: Task<()>,
}

impl Client<'_> {
    /// Asks for a URL, with the header fields `fields`.
    pub async fn ask(
        &self,
        url: &Url,
        fields: &[(header::HeaderName, String)],
    ) -> Result<Exchange> {
        let stream = self.in_time(url, TcpStream::connect(self.handle, url.target())).await?;
        let stream = stream.map_err(|error| explain_connect(url, &error))?;
        let Some(tls) = self.tls.as_ref().filter(|_| url.is_tls) else {
            return self.exchange(url, fields, stream).await;
        };
        let name = ServerName::try_from(url.host().to_owned());
        let name = name.map_err(|error| format!("{url}: {error}"))?;
        let stream = self.in_time(url, tls.connect(name, stream)).await?;
        self.exchange(url, fields, stream.map_err(|error| explain_tls(url, &error))?).await
    }

    async fn exchange<S>(
        &self,
        url: &Url,
        fields: &[(header::HeaderName, String)],
        stream: S,
    ) -> Result<Exchange>
    where
        S: AsyncRead + AsyncWrite + Unpin + 'static,
    {
        let failed = |error: hyper::Error| format!("{url}: {}", with_causes(&error));
        let (mut sender, connection) = http1::handshake(Io::new(stream)).await.map_err(failed)?;
        // What fails on the connection is told to who waits for the response, or for its body.
        let connection = self.handle.spawn_then(connection, drop).label("connection");
        let mut request = Request::get(url.path_and_query())
            .header(header::HOST, url.authority())
            .header(header::USER_AGENT, "interloop-http-client")
            .header(header::ACCEPT, "*/*");
        for (name, value) in fields {
            request = request.header(name, value);
        }
        let request =
            request.body(Empty::<Bytes>::new()).map_err(|error| format!("{url}: {error}"))?;
        let response = self.in_time(url, sender.send_request(request)).await?.map_err(failed)?;
        Ok(Exchange { response, _connection: connection })
    }

    /// Waits, but not for ever.
    pub async fn in_time<F: Future>(&self, url: &Url, future: F) -> Result<F::Output> {
        let limit = self.timeout;
        self.handle.timeout(limit, future).await.map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => {
                format!("{url}: nothing has come for {limit:?}; wait longer with --timeout")
            }
            _ => format!("{url}: {error}"),
        })
    }
}

fn explain_connect(url: &Url, error: &io::Error) -> String {
    let hint = match error.kind() {
        io::ErrorKind::ConnectionRefused => "; nothing listens there: check the port",
        io::ErrorKind::NotFound => "; check the name of the host",
        _ => "",
    };
    format!("{url}: {error}{hint}")
}

fn explain_tls(url: &Url, error: &io::Error) -> String {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    let hint = match cause {
        Some(rustls::Error::InvalidCertificate(_)) => {
            "; where you trust who signed it, give that certificate with --ca"
        }
        _ => "",
    };
    format!("{url}: TLS: {error}{hint}")
}

/// An error of hyper's says why only in its sources.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}
