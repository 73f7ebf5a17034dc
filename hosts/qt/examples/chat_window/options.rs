//! The command line.

use std::fmt::Display;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};

const ADDRESS: &str = "127.0.0.1:7000";

const HELP: &str = "\
Chats over TCP, in a window.

Usage: chat_window [--name NAME] [--server ADDRESS] [--serve] [--join] [--print]

  --name NAME        who you are: up to 32 letters, digits, '-' or '_' [default: $USER]
  --server ADDRESS   the server, as host:port [default: 127.0.0.1:7000]
  --serve            start a server there; port 0 takes a free one
  --join             join at once
  --print            print what the window shows of the chat
  -h, --help         print this

The window has buttons for all of it. The server's address is printed when it listens.

Exit code: 0 after an orderly end, 1 without a display, 2 when the command line is wrong.
";

pub struct Options {
    pub name: String,
    pub server: String,
    pub serve: bool,
    pub join: bool,
    pub print: bool,
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
                eprintln!("chat_window: {message}; see --help");
                Err(ExitCode::from(2))
            }
        }
    }
}

/// None where the user asks for help.
fn parse(mut parser: Parser) -> Result<Option<Options>, String> {
    let name = std::env::var("USER").unwrap_or_default();
    let server = ADDRESS.to_owned();
    let mut options = Options { name, server, serve: false, join: false, print: false };
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Arg::Long("name") => options.name = value(&mut parser)?,
            Arg::Long("server") => options.server = value(&mut parser)?,
            Arg::Long("serve") => options.serve = true,
            Arg::Long("join") => options.join = true,
            Arg::Long("print") => options.print = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(text(other.unexpected())),
        }
    }
    Ok(Some(options))
}

fn value(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
