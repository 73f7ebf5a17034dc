//! Fetches a URL: `cargo run --features hyper --example http_client -- https://example.com/`.
//!
//! The protocol is hyper's, TLS is that of rustls; both run on the one thread of the reactor, which
//! also draws the progress. What comes is written on the thread pool, as a disk may block.

#[path = "http_client/exchange.rs"]
mod exchange;
#[path = "http_client/fetch.rs"]
mod fetch;
#[path = "http_client/options.rs"]
mod options;
#[path = "http_client/partial.rs"]
mod partial;
#[path = "http_client/progress.rs"]
mod progress;
#[path = "http_client/ranges.rs"]
mod ranges;
#[path = "http_client/tls.rs"]
mod tls;
#[path = "http_client/url.rs"]
mod url;
#[path = "http_client/writer.rs"]
mod writer;

use std::process::ExitCode;
use std::time::Duration;

use interloop::Reactor;
use options::Options;

/// What one line on the standard error says of a failure.
type Result<T> = std::result::Result<T, String>;

fn main() -> ExitCode {
    let options = match Options::from_command_line() {
        Ok(options) => options,
        Err(exit) => return exit,
    };
    match run(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("http_client: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(options: &Options) -> Result<()> {
    // No host waits for this thread: to be slow, on a machine that is busy, is not worth a report.
    let reactor = Reactor::builder().slow_callback(Duration::MAX).build();
    let reactor = reactor.map_err(|error| error.to_string())?;
    let fetched = reactor.block_on(fetch::fetch(&reactor, options));
    fetched.map_err(|error| error.to_string())?
}
