//! From a URL to a file, or to the standard output.

use std::fs::File;
use std::io::{self, Write};

use http_body_util::BodyExt;
use hyper::header::{self, HeaderMap, HeaderName};
use hyper::{Response, StatusCode};
use interloop::Handle;

use crate::Result;
use crate::exchange::{Client, Exchange, with_causes};
use crate::options::Options;
use crate::partial::Partial;
use crate::progress::Progress;
use crate::ranges::{content_range, field, rest_of, validator};
use crate::tls;
use crate::url::Url;
use crate::writer::Writer;

/// How many redirects are followed: more of them are a circle.
const REDIRECTS: usize = 10;

pub async fn fetch(handle: &Handle, options: &Options) -> Result<()> {
    let mut client = Client { handle, tls: None, timeout: options.timeout };
    let ca = options.ca.as_deref();
    let Some(output) = options.output.clone() else {
        let (url, exchange) = follow(&mut client, &options.url, ca, &[]).await?;
        return to_stdout(&client, &url, exchange).await;
    };
    let partial = handle.unblock(move || Partial::new(&output)).await;
    let partial = partial.map_err(|error| format!("--output {error}"))?;
    to_file(&mut client, options, partial).await
}

async fn to_stdout(client: &Client<'_>, url: &Url, exchange: Exchange) -> Result<()> {
    expect(url, &exchange.response, StatusCode::OK)?;
    let explain = |error: &io::Error| format!("the output: {error}");
    receive(client, url, exchange, io::stdout(), 0, &explain).await.map(drop)
}

async fn to_file(client: &mut Client<'_>, options: &Options, partial: Partial) -> Result<()> {
    let handle = client.handle;
    let origin = options.url.to_string();
    let (looking, wanted) = (partial.clone(), origin.clone());
    let left = handle.unblock(move || looking.left(&wanted)).await;
    let fields = left.as_ref().map_or_else(Vec::new, rest_of);
    let ca = options.ca.as_deref();
    let (mut url, mut exchange) = follow(client, &options.url, ca, &fields).await?;

    let mut before = 0;
    match (exchange.response.status(), left) {
        (StatusCode::PARTIAL_CONTENT, Some(left)) => {
            let (start, _) = content_range(exchange.response.headers());
            if start != Some(left.length) {
                return Err(format!("{url}: the server has sent a part that was not asked for"));
            }
            before = left.length;
        }
        // There is nothing after what is there: either that is all, or another document.
        (StatusCode::RANGE_NOT_SATISFIABLE, Some(left)) => {
            let (_, total) = content_range(exchange.response.headers());
            if total == Some(left.length) {
                let all = partial.clone();
                let complete = move || all.complete(&all.resume(left.length)?);
                return handle.unblock(complete).await;
            }
            (url, exchange) = follow(client, &options.url, ca, &[]).await?;
            expect(&url, &exchange.response, StatusCode::OK)?;
        }
        // The server has a newer version, or knows no ranges, and sends all of it.
        _ => expect(&url, &exchange.response, StatusCode::OK)?,
    }

    let validator = validator(exchange.response.headers());
    let opening = partial.clone();
    let open = move || match before {
        0 => opening.begin(&origin, validator.as_deref()),
        before => opening.resume(before),
    };
    let file = handle.unblock(open).await?;
    let explain = |error: &io::Error| partial.explain(error);
    let file: File = receive(client, &url, exchange, file, before, &explain).await?;
    let complete = partial.clone();
    handle.unblock(move || complete.complete(&file)).await
}

/// Asks for a URL, and for those that it leads to.
async fn follow(
    client: &mut Client<'_>,
    first: &Url,
    ca: Option<&std::path::Path>,
    fields: &[(HeaderName, String)],
) -> Result<(Url, Exchange)> {
    let mut url = first.clone();
    for _ in 0..=REDIRECTS {
        if url.is_tls && client.tls.is_none() {
            client.tls = Some(tls::connector(client.handle, ca).await?);
        }
        let exchange = client.ask(&url, fields).await?;
        let Some(location) = location(&exchange.response) else { return Ok((url, exchange)) };
        let next = url.join(&location).map_err(|error| format!("{url}: redirected: {error}"))?;
        if url.is_tls && !next.is_tls {
            return Err(format!("{url}: redirected to {next}, which is not safe; fetch that"));
        }
        url = next;
    }
    Err(format!("{first}: more than {REDIRECTS} redirects; the last one leads to {url}"))
}

/// Receives a body into `target`, of which `before` bytes are there already.
async fn receive<W: Write + Send + 'static>(
    client: &Client<'_>,
    url: &Url,
    mut exchange: Exchange,
    target: W,
    before: u64,
    explain: &dyn Fn(&io::Error) -> String,
) -> Result<W> {
    let length = number(exchange.response.headers(), header::CONTENT_LENGTH);
    let total = length.map(|length| before + length);
    let progress = Progress::new(client.handle, before, total);
    let mut writer = Writer::new(client.handle, target);
    let body = exchange.response.body_mut();
    let cut_off = loop {
        match client.in_time(url, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                let Some(bytes) = frame.data_ref() else { continue };
                progress.add(bytes.len());
                writer.write(bytes).await.map_err(|error| explain(&error))?;
            }
            Ok(None) => break None,
            Ok(Some(Err(error))) => {
                let come = progress.come();
                let of = total.map_or(String::new(), |total| format!(" of {total}"));
                let why = with_causes(&error);
                break Some(format!(
                    "{url}: cut off after {come}{of} bytes: {why}; run this again"
                ));
            }
            Err(message) => break Some(message),
        }
    };
    // What has come is kept, whatever was to follow.
    let target = writer.finish().await.map_err(|error| explain(&error))?;
    cut_off.map_or(Ok(target), Err)
}

fn location(response: &Response<hyper::body::Incoming>) -> Option<String> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = field(response.headers(), header::LOCATION).filter(|_| is_redirect);
    location.map(str::to_owned)
}

fn number(headers: &HeaderMap, name: HeaderName) -> Option<u64> {
    field(headers, name).and_then(|text| text.parse().ok())
}

fn expect<B>(url: &Url, response: &Response<B>, status: StatusCode) -> Result<()> {
    if response.status() == status { Ok(()) } else { Err(format!("{url}: {}", response.status())) }
}
