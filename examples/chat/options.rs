//! The command line.

use std::fmt::Display;
use std::process::ExitCode;

use interloop::net::ToTarget;
use lexopt::{Arg, Parser, ValueExt};

use crate::room;

const ADDRESS: &str = "127.0.0.1:7000";

const HELP: &str = "\
Chats over TCP, a line at a time, with names.

Usage: chat server [--listen ADDRESS]
       chat client [--connect ADDRESS] --name NAME

Options of the server:
  --listen ADDRESS   where to listen; port 0 takes a free one [default: 127.0.0.1:7000]
Options of the client:
  --connect ADDRESS  the server, as host:port [default: 127.0.0.1:7000]
  --name NAME        who you are: up to 32 letters, digits, '-' or '_'; no two have the same
  -h, --help         print this

The server prints where it listens and what is said. It ends, with a goodbye to all, on Ctrl-C, on
SIGTERM, or when its input, a terminal or a pipe, ends. The client sends the lines of its input, and
prints those of the others. When its input ends it leaves.

Exit code: 0 after an orderly end, 1 after a failure, 2 when the command line is wrong.
";

pub enum Options {
    Server { listen: String },
    Client { connect: String, name: String },
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
                eprintln!("chat: {message}; see --help");
                Err(ExitCode::from(2))
            }
        }
    }
}

/// None where the user asks for help.
fn parse(mut parser: Parser) -> Result<Option<Options>, String> {
    let (mut command, mut address, mut name) = (None, None, None);
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Arg::Value(value) if command.is_none() => command = Some(value.string().map_err(text)?),
            Arg::Long("listen") if command.as_deref() == Some("server") => {
                address = Some(value(&mut parser)?);
            }
            Arg::Long("connect") if command.as_deref() == Some("client") => {
                address = Some(value(&mut parser)?);
            }
            Arg::Long("name") if command.as_deref() == Some("client") => {
                name = Some(value(&mut parser)?);
            }
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(text(other.unexpected())),
        }
    }
    let address = address.unwrap_or_else(|| ADDRESS.to_owned());
    address.to_target().map_err(text)?;
    match command.as_deref() {
        Some("server") => Ok(Some(Options::Server { listen: address })),
        Some("client") => {
            let name = name.ok_or("the client needs a name: --name NAME")?;
            room::check_name(&name).map_err(|error| format!("--name {name}: {error}"))?;
            Ok(Some(Options::Client { connect: address, name }))
        }
        Some(other) => Err(format!("{other:?} is neither server nor client")),
        None => Err("say server or client".to_owned()),
    }
}

fn value(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
