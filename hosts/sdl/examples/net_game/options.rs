//! The command line.

use std::fmt::Display;
use std::net::{SocketAddr, ToSocketAddrs};
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
A game for two over UDP: who reaches the coin first has a point.

Usage: net_game --host ADDRESS [--bot] [--loss PERCENT]
       net_game --join ADDRESS [--bot] [--loss PERCENT]

Options:
  --host ADDRESS   wait there for the other player; port 0 takes a free one
  --join ADDRESS   play with the one who waits there
  --bot            the program plays by itself
  --loss PERCENT   do not send so many of the packets, to see that it matters little
  -h, --help       print this

The arrow keys or W, A, S and D steer. Escape, or closing the window, ends the game.

Exit code: 0 after an orderly end, 1 after a failure, 2 when the command line is wrong.
";

pub struct Options {
    pub side: Side,
    pub bot: bool,
    pub loss: u32,
}

pub enum Side {
    Host(String),
    Join(SocketAddr),
}

impl Side {
    pub fn name(&self) -> &'static str {
        match self {
            Side::Host(_) => "host",
            Side::Join(_) => "guest",
        }
    }
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
                eprintln!("net_game: {message}; see --help");
                Err(ExitCode::from(2))
            }
        }
    }
}

/// None where the user asks for help.
fn parse(mut parser: Parser) -> Result<Option<Options>, String> {
    let (mut side, mut bot, mut loss) = (None, false, 0);
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Arg::Long("host") if side.is_none() => side = Some(Side::Host(value(&mut parser)?)),
            Arg::Long("join") if side.is_none() => {
                side = Some(Side::Join(resolve(&value(&mut parser)?)?));
            }
            Arg::Long("bot") => bot = true,
            Arg::Long("loss") => {
                let percent = value(&mut parser)?;
                loss = percent.parse().map_err(|error| format!("--loss {percent}: {error}"))?;
            }
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(text(other.unexpected())),
        }
    }
    let side = side.ok_or("say --host ADDRESS or --join ADDRESS")?;
    Ok(Some(Options { side, bot, loss }))
}

/// Before there is a window, so that nothing waits for the name.
fn resolve(address: &str) -> Result<SocketAddr, String> {
    let mut found = address.to_socket_addrs().map_err(|error| format!("{address}: {error}"))?;
    found.next().ok_or_else(|| format!("{address} has no address"))
}

fn value(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(text)
}

fn text(error: impl Display) -> String {
    error.to_string()
}
