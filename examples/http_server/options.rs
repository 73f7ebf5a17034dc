//! The command line.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use interloop::net::ToTarget;
use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
Serves the files of a folder over HTTP/1.1.

Usage: http_server [OPTIONS]

Options:
  --listen ADDRESS  where to listen; port 0 takes a free one [default: 127.0.0.1:8000]
  --root FOLDER     what to serve; nothing outside of it is [default: .]
  --timeout SECS    how long a client may take to send the head of a request [default: 30]
  -h, --help        print this

It prints the address, and ends on Ctrl-C and SIGTERM, once the requests that run are answered.

Exit code: 0 after an orderly end, 1 after a failure, 2 when the command line is wrong.
";

pub struct Options {
    pub listen: String,
    pub root: PathBuf,
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
                eprintln!("http_server: {message}; see --help");
                Err(ExitCode::from(2))
            }
        }
    }
}

/// None where the user asks for help.
fn parse(mut parser: Parser) -> Result<Option<Options>, String> {
    let mut options = Options {
        listen: "127.0.0.1:8000".to_owned(),
        root: PathBuf::from("."),
        timeout: Duration::from_secs(30),
    };
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Arg::Long("listen") => {
                options.listen = value(&mut parser)?;
                options.listen.to_target().map_err(text)?;
            }
            Arg::Long("root") => options.root = parser.value().map_err(text)?.into(),
            Arg::Long("timeout") => options.timeout = seconds(&value(&mut parser)?)?,
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(text(other.unexpected())),
        }
    }
    Ok(Some(options))
}

fn value(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(text)
}

fn seconds(number: &str) -> Result<Duration, String> {
    let seconds = number.parse().ok().filter(|&seconds| seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.ok_or_else(|| format!("--timeout {number}: give a number of seconds above 0"))
}

fn text(error: impl Display) -> String {
    error.to_string()
}
