//! The command line.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::url::Url;

const HELP: &str = "\
Fetches a URL by http or https.

Usage: http_client URL [OPTIONS]

Options:
  --output FILE   write to a file, instead of to the standard output. While it comes it is FILE.part;
                  when that is there already, from a fetch that was cut off, the rest is fetched
  --ca FILE       trust the certificates in this PEM file, instead of those that the system trusts
  --timeout SECS  give up when nothing has come for so long [default: 30]
  -h, --help      print this

It follows up to 10 redirects. Progress is shown on the standard error where that is a terminal.

Exit code: 0 when all of it came, 1 after a failure, 2 when the command line is wrong.
";

pub struct Options {
    pub url: Url,
    pub output: Option<PathBuf>,
    pub ca: Option<PathBuf>,
    pub timeout: Duration,
}

impl Options {
    /// What the command line asks for, or how to exit: it is wrong, or asks for help.
    pub fn from_command_line() -> Result<Options, ExitCode> {
        match parse(Parser::from_env()) {
            Ok(Some(options)) => Ok(options),
            Ok(None) => {
                print!("{HELP}");
                Err(ExitCode::SUCCESS)
            }
            Err(message) => {
                eprintln!("http_client: {message}; see --help");
                Err(ExitCode::from(2))
            }
        }
    }
}

/// None where the user asks for help.
fn parse(mut parser: Parser) -> Result<Option<Options>, String> {
    let (mut url, mut output, mut ca) = (None, None, None);
    let mut timeout = Duration::from_secs(30);
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Arg::Value(value) if url.is_none() => {
                url = Some(Url::parse(&value.string().map_err(text)?)?);
            }
            Arg::Long("output") => output = Some(parser.value().map_err(text)?.into()),
            Arg::Long("ca") => ca = Some(parser.value().map_err(text)?.into()),
            Arg::Long("timeout") => {
                timeout = seconds(&parser.value().and_then(|value| value.string()).map_err(text)?)?;
            }
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(text(other.unexpected())),
        }
    }
    let url = url.ok_or("say which URL to fetch")?;
    Ok(Some(Options { url, output, ca, timeout }))
}

fn seconds(number: &str) -> Result<Duration, String> {
    let seconds = number.parse().ok().filter(|&seconds| seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| format!("--timeout {number}: give a number of seconds above 0"))
}

fn text(error: impl Display) -> String {
    error.to_string()
}
