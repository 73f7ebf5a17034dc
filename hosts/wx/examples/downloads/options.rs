//! The command line.

use std::fmt::Display;
use std::path::PathBuf;
use std::process::ExitCode;

use lexopt::{Arg, Parser, ValueExt};

const HELP: &str = "\
Downloads files over HTTP and HTTPS, several at a time, in a window.

Usage: downloads [--folder FOLDER] [ADDRESS...]

  --folder FOLDER   where the files go [default: this folder]
  -h, --help        print this

A download can be stopped, and goes on where it was: by its button, or when it is asked for again in a later run.
Ctrl-S stops all of them, Ctrl-R resumes all. What becomes of each is printed, too.

Exit code: 0 after an orderly end, 1 without a display, 2 when the command line is wrong.
";

pub struct Options {
    pub folder: PathBuf,
    pub addresses: Vec<String>,
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
                eprintln!("downloads: {message}; see --help");
                Err(ExitCode::from(2))
            }
        }
    }
}

/// None where the user asks for help.
fn parse(mut parser: Parser) -> Result<Option<Options>, String> {
    let mut options = Options { folder: PathBuf::from("."), addresses: Vec::new() };
    while let Some(argument) = parser.next().map_err(text)? {
        match argument {
            Arg::Value(address) => options.addresses.push(address.string().map_err(text)?),
            Arg::Long("folder") => options.folder = PathBuf::from(parser.value().map_err(text)?),
            Arg::Short('h') | Arg::Long("help") => return Ok(None),
            other => return Err(text(other.unexpected())),
        }
    }
    if !options.folder.is_dir() {
        return Err(format!("--folder {}: there is no such folder", options.folder.display()));
    }
    Ok(Some(options))
}

fn text(error: impl Display) -> String {
    error.to_string()
}
