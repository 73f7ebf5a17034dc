//! An answer: its head, and its body as it comes.

use http_body_util::BodyExt;
use hyper::body::{Bytes, Incoming};
use hyper::{HeaderMap, StatusCode, Version, header, http};
use interloop::Task;
use url::Url;

use super::client::Client;
use super::error::{Error, ErrorKind, with_causes};

/// What comes before the body.
#[derive(Clone, Debug)]
pub struct Head {
    /// What was asked for, at the end of all redirects.
    pub url: Url,
    /// The version of the protocol.
    pub version: Version,
    /// How it went: a page that says "404 Not Found" is a page too.
    pub status: StatusCode,
    /// The header fields.
    pub headers: HeaderMap,
    /// How long the body will be, where the server says so.
    pub length: Option<u64>,
}

/// An answer whose body is still to come. Its connection is closed when this is dropped.
#[derive(Debug)]
pub struct Response {
    head: Head,
    body: Incoming,
    received: u64,
    client: Client,
    _connection: Task<()>,
}

impl Head {
    pub(super) fn new(url: Url, parts: http::response::Parts) -> Head {
        let length = parts.headers.get(header::CONTENT_LENGTH);
        let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
        Head { url, version: parts.version, status: parts.status, headers: parts.headers, length }
    }

    /// A header field, where there is one that is text.
    pub fn field(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Response {
    pub(super) fn new(
        client: &Client,
        url: Url,
        response: hyper::Response<Incoming>,
        connection: Task<()>,
    ) -> Response {
        let (parts, body) = response.into_parts();
        let head = Head::new(url, parts);
        Response { head, body, received: 0, client: client.clone(), _connection: connection }
    }

    /// What came before the body.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// How many bytes of the body have come.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The next part of the body, or None at its end. The server is slowed down while nobody asks.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::CutOff`] when the body has not come to its end; [`ErrorKind::Silence`] when nothing
    /// has come for too long.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>, Error> {
        loop {
            match self.client.in_time(&self.head.url, self.body.frame()).await? {
                Some(Ok(frame)) => {
                    let Ok(bytes) = frame.into_data() else { continue };
                    self.received += bytes.len() as u64;
                    return Ok(Some(bytes));
                }
                Some(Err(error)) => return Err(self.cut_off(&error)),
                None => return Ok(None),
            }
        }
    }

    fn cut_off(&self, error: &hyper::Error) -> Error {
        let of = self.head.length.map_or(String::new(), |length| format!(" of {length}"));
        let (url, received, why) = (&self.head.url, self.received, with_causes(error));
        let message = format!("{url}: cut off after {received}{of} bytes: {why}");
        Error::new(ErrorKind::CutOff, message)
    }
}
