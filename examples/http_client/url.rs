//! URLs of http and https.

use std::fmt;

use hyper::Uri;
use hyper::http::uri::{Authority, Scheme};
use interloop::net::Target;

/// A URL that can be fetched: it has a scheme that is known, and a host.
#[derive(Clone)]
pub struct Url {
    uri: Uri,
    authority: Authority,
    pub is_tls: bool,
}

impl Url {
    pub fn parse(text: &str) -> Result<Url, String> {
        let wrong = |what: &str| format!("{text:?} {what}: give http://host/path or https://...");
        // The fragment is for who reads the document, and is not sent.
        let sent = text.split_once('#').map_or(text, |(sent, _)| sent);
        let uri: Uri = sent.parse().map_err(|error| wrong(&format!("is no URL ({error})")))?;
        let scheme = uri.scheme().ok_or_else(|| wrong("has no scheme"))?;
        let is_tls = *scheme == Scheme::HTTPS;
        if !is_tls && *scheme != Scheme::HTTP {
            return Err(wrong("is neither http nor https"));
        }
        let authority = uri.authority().cloned().filter(|authority| !authority.host().is_empty());
        let authority = authority.ok_or_else(|| wrong("has no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("has a user name, which is not supported"));
        }
        let port = authority.as_str().strip_prefix(authority.host()).unwrap_or_default();
        if !port.is_empty() && authority.port_u16().is_none() {
            return Err(wrong("has no port that is a number up to 65535"));
        }
        Ok(Url { uri, authority, is_tls })
    }

    /// Where a reference in this document leads, such as that of a redirect.
    pub fn join(&self, reference: &str) -> Result<Url, String> {
        let scheme = if self.is_tls { "https" } else { "http" };
        let authority = &self.authority;
        let path = self.uri.path();
        let reference = reference.trim();
        Url::parse(&match reference {
            absolute if has_scheme(absolute) => absolute.to_owned(),
            host if host.starts_with("//") => format!("{scheme}:{host}"),
            path if path.starts_with('/') => format!("{scheme}://{authority}{path}"),
            query if query.starts_with('?') => format!("{scheme}://{authority}{path}{query}"),
            sibling => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("{scheme}://{authority}{folder}/{sibling}")
            }
        })
    }

    /// Where to connect to.
    pub fn target(&self) -> Target {
        let port = if self.is_tls { 443 } else { 80 };
        Target::host(self.authority.host(), self.authority.port_u16().unwrap_or(port))
    }

    /// The host, without the brackets of an IPv6 address.
    pub fn host(&self) -> &str {
        let host = self.authority.host();
        host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
    }

    /// The host and, where it is written, the port.
    pub fn authority(&self) -> &str {
        self.authority.as_str()
    }

    /// What is asked of the host.
    pub fn path_and_query(&self) -> &str {
        self.uri.path_and_query().map_or("/", |path| path.as_str())
    }
}

/// True for a reference that is a URL by itself: a colon comes before any slash.
fn has_scheme(reference: &str) -> bool {
    reference.split(['/', '?', '#']).next().is_some_and(|beginning| beginning.contains(':'))
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.uri.fmt(f)
    }
}
