//! What is answered to a request.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::rc::Rc;
use std::time::Duration;

use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::http::{Result, response};
use hyper::{Method, Request, Response, StatusCode};
use interloop::Handle;

use crate::body::FileBody;
use crate::listing::{decode, encode};
use crate::range::{Part, part};
use crate::site::{Found, Site};

pub struct Server {
    pub handle: Handle,
    pub site: Site,
    pub timeout: Duration,
}

/// A text, or a file.
type Body = Either<Full<Bytes>, FileBody>;

impl Server {
    pub async fn respond(self: Rc<Server>, request: Request<Incoming>) -> Result<Response<Body>> {
        // The body of what is answered to HEAD is not sent, which hyper sees to.
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let refusal = plain(StatusCode::METHOD_NOT_ALLOWED).header(header::ALLOW, "GET, HEAD");
            return text(refusal, "only GET and HEAD are allowed");
        }
        let Some(path) = decode(request.uri().path()) else {
            return text(plain(StatusCode::BAD_REQUEST), "the path is not valid");
        };
        let site = self.site.clone();
        let wanted = path.clone();
        match self.handle.unblock(move || site.find(&wanted)).await {
            Ok(Found::File { file, length, tag, content_type }) => {
                let about = Response::builder()
                    .header(header::CONTENT_TYPE, content_type)
                    .header(header::ETAG, &tag)
                    .header(header::ACCEPT_RANGES, "bytes");
                let part = part(range(request.headers(), &tag), length);
                self.send(about, file, length, part).await
            }
            Ok(Found::Listing(page)) => {
                let html =
                    Response::builder().header(header::CONTENT_TYPE, "text/html; charset=utf-8");
                text(html, &page)
            }
            Ok(Found::NeedsSlash) => {
                let folder = format!("/{}/", encode(path.trim_start_matches('/')));
                let moved = plain(StatusCode::MOVED_PERMANENTLY);
                text(moved.header(header::LOCATION, folder), "a folder has a slash at its end")
            }
            Err(error) => refuse(&path, &error),
        }
    }

    async fn send(
        &self,
        about: response::Builder,
        mut file: File,
        total: u64,
        part: Part,
    ) -> Result<Response<Body>> {
        let (status, start, length) = match part {
            Part::Whole => (StatusCode::OK, 0, total),
            Part::Range { start, length } => (StatusCode::PARTIAL_CONTENT, start, length),
            Part::Unsatisfiable => {
                let range = plain(StatusCode::RANGE_NOT_SATISFIABLE)
                    .header(header::CONTENT_RANGE, format!("bytes */{total}"));
                return text(range, "the file has no such range");
            }
        };
        let mut about = about.status(status).header(header::CONTENT_LENGTH, length);
        if status == StatusCode::PARTIAL_CONTENT {
            let range = format!("bytes {start}-{}/{total}", start + length - 1);
            about = about.header(header::CONTENT_RANGE, range);
            // This asks nothing of the disk, and does not block.
            if let Err(error) = file.seek(SeekFrom::Start(start)) {
                return refuse("seek", &error);
            }
        }
        about.body(Either::Right(FileBody::new(&self.handle, file, length)))
    }
}

/// The range that is asked for, unless it is of a file that has changed since.
fn range<'a>(headers: &'a HeaderMap, tag: &str) -> Option<&'a str> {
    let value = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let is_same = value(header::IF_RANGE).is_none_or(|wanted| wanted == tag);
    value(header::RANGE).filter(|_| is_same)
}

fn refuse(path: &str, error: &io::Error) -> Result<Response<Body>> {
    use io::ErrorKind::{InvalidInput, NotADirectory, NotFound, PermissionDenied};
    let status = match error.kind() {
        InvalidInput | NotADirectory | NotFound => StatusCode::NOT_FOUND,
        PermissionDenied => StatusCode::FORBIDDEN,
        _ => {
            eprintln!("http_server: {path}: {error}");
            StatusCode::INTERNAL_SERVER_ERROR
        }
    };
    text(plain(status), status.canonical_reason().unwrap_or("refused"))
}

fn plain(status: StatusCode) -> response::Builder {
    let plain = Response::builder().status(status);
    plain.header(header::CONTENT_TYPE, "text/plain; charset=utf-8")
}

fn text(about: response::Builder, text: &str) -> Result<Response<Body>> {
    about.body(Either::Left(Full::new(Bytes::from(format!("{}\n", text.trim_end())))))
}
