//! Runs every work on every system, interleaved in one run, and says how they compare.

mod arguments;
mod axis;
mod bounds;
mod child;
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
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;
use std::{fs, io};

pub(crate) use child::{SAMPLE, sample};
pub(crate) use work::{Effort, Figure, Sample, Work};

use arguments::Arguments;
use measured::Measured;
use ratios::Verdict;
use selection::Selection;

/// `interloop-benches compare`.
pub(crate) fn run(words: impl Iterator<Item = OsString>) -> ExitCode {
    let arguments = match Arguments::parse(words) {
        Ok(Some(arguments)) => arguments,
        Ok(None) => {
            say(arguments::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => return refuse(&format!("{message}; see compare --help")),
    };
    let selection = match Selection::of(&arguments) {
        Ok(selection) => selection,
        Err(message) => return refuse(&message),
    };
    if arguments.list {
        say(&selection.to_string());
        return ExitCode::SUCCESS;
    }
    say(&format!("On {}.\n", machine::describe()));
    let measured = rounds::run(&selection, arguments.rounds(), child::sample_in_children, |done| {
        say(&table::of(done));
    });
    say(&table::troubles(&measured));
    let verdicts = ratios::check(bounds::ALL, &measured, &selection);
    if let Err(error) = write(&arguments, &measured, &verdicts) {
        return refuse(&error.to_string());
    }
    if !arguments.check {
        return ExitCode::SUCCESS;
    }
    say(&ratios::report(&verdicts));
    let held = verdicts.iter().all(Verdict::holds);
    if held { ExitCode::SUCCESS } else { ExitCode::from(1) }
}

fn write(arguments: &Arguments, measured: &Measured, verdicts: &[Verdict<'_>]) -> io::Result<()> {
    if let Some(file) = &arguments.json {
        write_file(file, &json::of(measured))?;
    }
    if let Some(file) = &arguments.html {
        write_file(file, &html::of(measured, verdicts))?;
    }
    match &arguments.svg {
        Some(folder) => write_plots(folder, measured),
        None => Ok(()),
    }
}

/// A file for each metric of each comparison: `WORK-CASE-METRIC.svg`.
fn write_plots(folder: &Path, measured: &Measured) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for comparison in &measured.0 {
        for (metric, _) in comparison.metrics() {
            let name = format!("{}-{}-{metric}.svg", comparison.work, comparison.case);
            let name = name.replace(['/', ' '], "-");
            write_file(&folder.join(name), &plot::alone(comparison, metric))?;
        }
    }
    Ok(())
}

fn write_file(file: &Path, text: &str) -> io::Result<()> {
    fs::write(file, text).map_err(|error| {
        io::Error::new(error.kind(), format!("cannot write {}: {error}", file.display()))
    })
}

/// Prints to a reader who may have gone, as `head` does.
fn say(text: &str) {
    let _ = io::stdout().write_all(text.as_bytes());
}

/// Says why a command line is refused, or cannot be followed.
fn refuse(message: &str) -> ExitCode {
    eprintln!("compare: {message}");
    ExitCode::from(2)
}
