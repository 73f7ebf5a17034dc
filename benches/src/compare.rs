//! Runs every work on every system, interleaved in one run, and says how they compare.

mod arguments;
mod bounds;
mod child;
mod json;
mod measured;
mod ratios;
mod rounds;
mod selection;
mod table;
mod work;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

pub(crate) use child::{SAMPLE, sample};
pub(crate) use work::{Effort, Figure, Sample, Work};

use arguments::Arguments;
use measured::Measured;
use selection::Selection;

/// `interloop-benches compare`.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::parse(words) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            print!("{}", arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => return refuse(&format!("{message}; see compare --help")),
    };
    let selection = match Selection::of(&arguments) {
        Ok(selection) => selection,
        Err(message) => return refuse(&message),
    };
    if arguments.list {
        print!("{selection}");
        return ExitCode::SUCCESS;
    }
    let measured = rounds::run(&selection, arguments.rounds(), child::sample_in_children, |done| {
        print!("{}", table::of(done));
    });
    print!("{}", table::troubles(&measured));
    if let Err(error) = write(&arguments, &measured) {
        return refuse(&error.to_string());
    }
    if !arguments.check {
        return ExitCode::SUCCESS;
    }
    let verdicts = ratios::check(bounds::ALL, &measured, &selection);
    print!("{}", ratios::report(&verdicts));
    let held = verdicts.iter().all(|verdict| verdict.holds());
    if held { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn write(arguments: &Arguments, measured: &Measured) -> io::Result<()> {
    match &arguments.json {
        Some(file) => write_file(file, &json::of(measured)),
        None => Ok(()),
    }
}

fn write_file(file: &Path, text: &str) -> io::Result<()> {
    fs::write(file, text).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", file.display()))
    })
}

/// Says why a command line is refused, or cannot be followed.
fn refuse(message: &str) -> ExitCode {
    eprintln!("compare: {message}");
    ExitCode::from(2)
}
