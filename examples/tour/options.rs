//! The command line.

use std::fmt::Display;
use std::process::ExitCode;

use interloop::{BackendKind, Reactor};
use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
Echoes messages over TCP through a reactor that is a guest in a host loop, and counts.

Usage: cargo run --release --example tour -- [OPTIONS]

Options:
  --backend NAME  only this backend: epoll, kqueue, polling, poll or select;
                  may be given more than once [default: all that open here]
  --messages N    how many messages, at least 1 [default: 100000]
  --json          print JSON instead of a table
  -h, --help      print this

Exit code: 0 when every message came back and the shutdown was clean, 1 when not, 2 when the
command line is wrong.
";

pub struct Options {
    pub backends: Vec<BackendKind>,
    pub messages: u64,
    pub json: bool,
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
                eprintln!("tour: {message}; see --help");
                Err(ExitCode::from(2))
            }
        }
    }
}

/// None where the user asks for help.
fn parse(mut parser: Parser) -> Result<Option<Options>, String> {
    let mut options = Options { backends: Vec::new(), messages: 100_000, json: false };
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Arg::Long("backend") => options.backends.push(backend(&value(&mut parser)?)?),
            Arg::Long("messages") => options.messages = messages(&value(&mut parser)?)?,
            Arg::Long("json") => options.json = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(text(other.unexpected())),
        }
    }
    if options.backends.is_empty() {
        options.backends = BackendKind::available();
    }
    Ok(Some(options))
}

fn value(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(text)
}

fn backend(name: &str) -> Result<BackendKind, String> {
    let in_option = |error| format!("--backend {name}: {error}");
    let kind = name.parse().map_err(in_option)?;
    match Reactor::builder().backend(kind).build() {
        Ok(_) => Ok(kind),
        Err(error) => {
            let here = BackendKind::available().into_iter().map(BackendKind::name);
            let here = here.collect::<Vec<_>>().join(", ");
            Err(format!("{}; the backends that open here are: {here}", in_option(error)))
        }
    }
}

fn messages(number: &str) -> Result<u64, String> {
    let positive = number.parse().ok().filter(|&messages| messages > 0);
    positive.ok_or_else(|| format!("--messages {number}: give a whole number from 1 on"))
}

fn text(error: impl Display) -> String {
    error.to_string()
}
