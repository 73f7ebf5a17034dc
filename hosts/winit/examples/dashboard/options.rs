//! The command line.

use std::fmt::Display;
use std::process::ExitCode;

use interloop_demos::traffic::Load;
use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
Shows live traffic, and what the reactor that carries it counts of itself.

Usage: dashboard [OPTIONS]

Options:
  --clients COUNT  how many clients there are at the beginning [default: 32]
  --rate COUNT     how many messages each sends in a second, 0 for as many as come back [default: 100]
  --size BYTES     how long a message is [default: 256]
  --calls COUNT    how many calls another thread makes in a second [default: 20000]
  -h, --help       print this

Exit code: 0 after an orderly end, 1 after a failure, 2 when the command line is wrong.
";

/// What the command line asks for, or how to exit: it is wrong, or asks for help.
pub fn from_command_line() -> Result<Load, ExitCode> {
    match parse(Parser::from_env()) {
        Ok(Some(load)) => Ok(load),
        Ok(None) => {
            print!("{HELP}");
            Err(ExitCode::SUCCESS)
        }
        Err(message) => {
            eprintln!("dashboard: {message}; see --help");
            Err(ExitCode::from(2))
        }
    }
}

/// None where the user asks for help.
fn parse(mut parser: Parser) -> Result<Option<Load>, String> {
    let mut load = Load { clients: 32, rate: 100, size: 256, calls: 20_000 };
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Arg::Long("clients") => load.clients = number(&mut parser)? as usize,
            Arg::Long("rate") => load.rate = number(&mut parser)?,
            Arg::Long("size") => load.size = number(&mut parser)? as usize,
            Arg::Long("calls") => load.calls = number(&mut parser)?,
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(text(other.unexpected())),
        }
    }
    Ok(Some(load))
}

fn number(parser: &mut Parser) -> Result<u32, String> {
    parser.value().and_then(|value| value.parse()).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
