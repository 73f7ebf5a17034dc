//! What a person types where an address is asked for.

use interloop::net::Target;
use url::{Host, Position, Url};

use super::error::{Error, ErrorKind};

/// The URL that a person means: the scheme may be left out, and is then https, but for this machine and
/// for numbers, which seldom have a certificate.
pub(super) fn parse(text: &str) -> Result<Url, Error> {
    let text = text.trim();
    let wrong = |what: &str| {
        let message = format!("{text:?} {what}: an address is written https://host/path");
        Error::new(ErrorKind::Address, message)
    };
    if text.is_empty() {
        return Err(wrong("is empty"));
    }
    let parse = |text: &str| Url::parse(text).map_err(|error| wrong(&format!("is none ({error})")));
    let url = if text.contains("://") {
        parse(text)?
    } else {
        let url = parse(&format!("https://{text}"))?;
        if is_named(&url) { url } else { parse(&format!("http://{text}"))? }
    };
    check(&url, &wrong)?;
    Ok(url)
}

/// Where a redirect leads from here.
pub(super) fn join(url: &Url, location: &str) -> Result<Url, Error> {
    let wrong = |what: &str| {
        let message = format!("{url}: redirected to {location:?}, which {what}");
        Error::new(ErrorKind::Redirect, message)
    };
    let next = url.join(location).map_err(|error| wrong(&format!("is no address ({error})")))?;
    check(&next, &wrong)?;
    if is_tls(url) && !is_tls(&next) {
        return Err(wrong("is not safe, while this is: load that, if you trust it"));
    }
    Ok(next)
}

fn check(url: &Url, wrong: &dyn Fn(&str) -> Error) -> Result<(), Error> {
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("is neither http nor https"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("has a user name, which is not supported"));
    }
    Ok(())
}

/// True for a host that has a name of its own in the network.
fn is_named(url: &Url) -> bool {
    matches!(url.host(), Some(Host::Domain(name)) if name != "localhost")
}

pub(super) fn is_tls(url: &Url) -> bool {
    url.scheme() == "https"
}

/// The host, without the brackets of an IPv6 address.
pub(super) fn host(url: &Url) -> String {
    match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) => address.to_string(),
        Some(Host::Ipv6(address)) => address.to_string(),
        None => String::new(),
    }
}

/// Where to connect to.
pub(super) fn target(url: &Url) -> Target {
    Target::host(&host(url), url.port_or_known_default().unwrap_or(80))
}

/// The host and, where it is not the usual one, the port: what the server is told of its own name.
pub(super) fn authority(url: &Url) -> &str {
    &url[Position::BeforeHost..Position::AfterPort]
}

/// What is asked of the server.
pub(super) fn path_and_query(url: &Url) -> &str {
    &url[Position::BeforePath..Position::AfterQuery]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn meant(text: &str) -> String {
        parse(text).unwrap().to_string()
    }

    #[test]
    fn a_scheme_may_be_left_out() {
        assert_eq!(meant("example.com"), "https://example.com/");
        assert_eq!(meant(" example.com:8443/a?b#c "), "https://example.com:8443/a?b#c");
        assert_eq!(meant("localhost:8080/x"), "http://localhost:8080/x");
        assert_eq!(meant("127.0.0.1:8080"), "http://127.0.0.1:8080/");
        assert_eq!(meant("[::1]:8080"), "http://[::1]:8080/");
        assert_eq!(meant("https://127.0.0.1/"), "https://127.0.0.1/");
    }

    #[test]
    fn what_cannot_be_fetched_is_refused_with_a_reason() {
        let cases = [
            ("", "is empty"),
            ("https://", "empty host"),
            ("ftp://example.com/", "is neither http nor https"),
            ("http://me:secret@example.com/", "has a user name"),
            ("http://example.com:99999/", "invalid port"),
            ("two words", "is none"),
        ];
        for (text, reason) in cases {
            let error = parse(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Address, "{text:?}");
            assert!(error.to_string().contains(reason), "{text:?}: {error}");
        }
    }

    #[test]
    fn a_redirect_leads_to_a_path_or_to_another_host_but_not_out_of_safety() {
        let url = parse("https://example.com/a/b?c").unwrap();
        let to = |location| join(&url, location).map(|next| next.to_string());
        assert_eq!(to("d").as_deref(), Ok("https://example.com/a/d"));
        assert_eq!(to("/d").as_deref(), Ok("https://example.com/d"));
        assert_eq!(to("//other.org/").as_deref(), Ok("https://other.org/"));
        for location in ["http://example.com/", "file:///etc/passwd"] {
            assert_eq!(to(location).unwrap_err().kind(), ErrorKind::Redirect);
        }
    }

    #[test]
    fn a_request_names_host_port_path_and_query() {
        let url = parse("http://[::1]:8080/a b?c=d#e").unwrap();
        assert_eq!(authority(&url), "[::1]:8080");
        assert_eq!(path_and_query(&url), "/a%20b?c=d");
        assert_eq!(host(&url), "::1");
        assert_eq!(authority(&parse("https://example.com:443/").unwrap()), "example.com");
    }
}
