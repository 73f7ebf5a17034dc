//! Runs every work on every system, interleaved in one run, and says how they compare.

mod arguments;
mod axis;
mod bounds;
mod child;
mod files;
mod html;
mod json;
mod machine;
mod measured;
mod plot;
mod ratios;
mod rounds;
mod selection;
mod table;
mod work;

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

pub(crate) use child::{SAMPLE, sample};
pub(crate) use work::{Effort, Figure, Sample, Work};

use arguments::Arguments;
use files::Files;
use ratios::Verdict;
use selection::Selection;

/// `interloop-benches compare`.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    let compared = match Arguments::parse(words) {
        Ok(Some(arguments)) => compare(&arguments),
        Ok(None) => say(arguments::HELP).map(|()| ExitCode::SUCCESS),
        Err(message) => Err(format!("{message}; see compare --help")),
    };
    compared.unwrap_or_else(|message| {
        eprintln!("compare: {message}");
        ExitCode::from(2)
    })
}

/// Follows a command line. The error says why it is refused, or cannot be followed.
fn compare(arguments: &Arguments) -> Result<ExitCode, String> {
    let selection = Selection::of(arguments)?;
    if arguments.list {
        say(&selection.to_string())?;
        return Ok(ExitCode::SUCCESS);
    }
    let files = Files::open(arguments).map_err(|error| error.to_string())?;
    let mut said = say(&format!("On {}.\n", machine::describe()));
    let sample = child::sample_in_children;
    let measured = rounds::run(&selection, arguments.limits(), sample, |done| {
        // The files are written all the same.
        said = say(&table::of(done)).and(said.clone());
    });
    let verdicts = ratios::check(bounds::ALL, &measured, &selection);
    let written = files.write(&measured, &verdicts);
    said.and_then(|()| say(&table::troubles(&measured)))?;
    if arguments.check {
        say(&ratios::report(&verdicts))?;
    }
    written.map_err(|error| error.to_string())?;
    let held = !arguments.check || verdicts.iter().all(Verdict::holds);
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

/// Prints to a reader who may have gone, as `head` does.
fn say(text: &str) -> Result<(), String> {
    match io::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(format!("cannot write to the standard output: {error}"))
        }
        _ => Ok(()),
    }
}
