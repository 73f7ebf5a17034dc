//! The header fields of ranges.

use hyper::HeaderMap;
use hyper::header::{self, HeaderName};

use super::partial::Left;

/// What asks for the rest, or else for all of a newer version.
pub fn rest_of(left: &Left) -> Vec<(HeaderName, String)> {
    vec![
        (header::RANGE, format!("bytes={}-", left.length)),
        (header::IF_RANGE, left.validator.clone()),
    ]
}

/// What names this version of the document, and no other. A weak ETag is not enough.
pub fn validator(headers: &HeaderMap) -> Option<String> {
    let tag = field(headers, header::ETAG).filter(|tag| !tag.starts_with("W/"));
    tag.or_else(|| field(headers, header::LAST_MODIFIED)).map(str::to_owned)
}

/// The start of a `Content-Range`, where it has one, and the total, where that is known.
pub fn content_range(headers: &HeaderMap) -> (Option<u64>, Option<u64>) {
    let range = field(headers, header::CONTENT_RANGE);
    let range = range.and_then(|range| range.strip_prefix("bytes ")?.split_once('/'));
    let Some((range, total)) = range else { return (None, None) };
    let start = range.split_once('-').and_then(|(start, _)| start.parse().ok());
    (start, total.parse().ok())
}

/// A header field, where there is one that is text.
pub fn field(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    #[test]
    fn a_range_has_a_start_or_only_a_total() {
        let range = |value| {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_RANGE, HeaderValue::from_static(value));
            content_range(&headers)
        };
        assert_eq!(range("bytes 5-9/10"), (Some(5), Some(10)));
        assert_eq!(range("bytes 5-9/*"), (Some(5), None));
        assert_eq!(range("bytes */10"), (None, Some(10)));
        assert_eq!(range("pages 1-2/3"), (None, None));
        assert_eq!(content_range(&HeaderMap::new()), (None, None));
    }

    #[test]
    fn a_weak_tag_names_no_version() {
        let mut headers = HeaderMap::new();
        headers.insert(header::ETAG, HeaderValue::from_static("W/\"1\""));
        assert_eq!(validator(&headers), None);
        headers.insert(header::LAST_MODIFIED, HeaderValue::from_static("yesterday"));
        assert_eq!(validator(&headers).as_deref(), Some("yesterday"));
        headers.insert(header::ETAG, HeaderValue::from_static("\"1\""));
        assert_eq!(validator(&headers).as_deref(), Some("\"1\""));
    }
}
