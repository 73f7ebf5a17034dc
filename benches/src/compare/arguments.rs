//! The command line of `compare`.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::{Arg, Parser, ValueExt};

use super::rounds::Limits;
use super::work::Effort;

pub(super) const HELP: &str = "\
Runs every work on every system, interleaved in one run, and compares them.

Usage: cargo run --release -p interloop-benches -- compare [OPTIONS]

Options:
  --quick         a first look, in less than a minute: fewer cases, short samples, three rounds, or
                  fewer where the machine is slow
  --rounds N      how many samples each system gives [default: 7; with --quick 3]
  --work NAME     only this work; may be given more than once, as may the next two
  --case NAME     only this case of the works
  --system NAME   only this system; in a NAME, * stands for anything
  --list          print the works, their cases and their systems, and measure nothing
  --json FILE     write the figures as JSON, one row a figure
  --html FILE     write a page with plots, which needs nothing but itself
  --svg FOLDER    write each plot as a file of its own
  --check         hold the ratios that this project promises against the run; a quick one has some of
                  their cases: no TCP, no pauses
  -h, --help      print this

Exit code: 0; 1 when --check finds a ratio that falls short; 2 when the command line is wrong, or a
file cannot be written.
";

/// What the command line asks for.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) effort: Effort,
    rounds: Option<usize>,
    /// Those to choose from; none of a kind is all of it.
    pub(super) works: Vec<String>,
    pub(super) cases: Vec<String>,
    pub(super) systems: Vec<String>,
    pub(super) list: bool,
    pub(super) json: Option<PathBuf>,
    pub(super) html: Option<PathBuf>,
    pub(super) svg: Option<PathBuf>,
    pub(super) check: bool,
}

impl Arguments {
    /// None where the user asks for help.
    pub(super) fn parse(
        words: impl Iterator<Item = OsString>,
    ) -> Result<Option<Arguments>, String> {
        let mut parser = Parser::from_args(words);
        let mut arguments = Arguments {
            effort: Effort::Full,
            rounds: None,
            works: Vec::new(),
            cases: Vec::new(),
            systems: Vec::new(),
            list: false,
            json: None,
            html: None,
            svg: None,
            check: false,
        };
        while let Some(argument) = parser.next().map_err(text)? {
            match argument {
                Arg::Long("quick") => arguments.effort = Effort::Quick,
                Arg::Long("rounds") => arguments.rounds = Some(rounds(&mut parser)?),
                Arg::Long("work") => arguments.works.push(value(&mut parser)?),
                Arg::Long("case") => arguments.cases.push(value(&mut parser)?),
                Arg::Long("system") => arguments.systems.push(value(&mut parser)?),
                Arg::Long("list") => arguments.list = true,
                Arg::Long("json") => arguments.json = Some(file(&mut parser)?),
                Arg::Long("html") => arguments.html = Some(file(&mut parser)?),
                Arg::Long("svg") => arguments.svg = Some(file(&mut parser)?),
                Arg::Long("check") => arguments.check = true,
                Arg::Short('h') | Arg::Long("help") => return Ok(None),
                other => return Err(text(other.unexpected())),
            }
        }
        arguments.refuse_one_file_for_two()?;
        Ok(Some(arguments))
    }

    /// What is written last would be all that is left.
    fn refuse_one_file_for_two(&self) -> Result<(), String> {
        match (&self.json, &self.html) {
            (Some(json), Some(html)) if json == html => {
                Err(format!("--json and --html cannot both be {}", json.display()))
            }
            _ => Ok(()),
        }
    }

    /// Who says how many rounds there are to be gets them, however long they take.
    pub(super) fn limits(&self) -> Limits {
        let unlimited = |rounds| Limits { rounds, within: None };
        self.rounds.map_or_else(|| self.effort.limits(), unlimited)
    }
}

fn rounds(parser: &mut Parser) -> Result<usize, String> {
    match value(parser)?.parse() {
        Ok(rounds) if rounds > 0 => Ok(rounds),
        _ => Err("--rounds needs a number from 1 on".to_owned()),
    }
}

fn value(parser: &mut Parser) -> Result<String, String> {
    parser.value().and_then(|value| value.string()).map_err(text)
}

fn file(parser: &mut Parser) -> Result<PathBuf, String> {
    match parser.value() {
        Ok(name) if name.is_empty() => Err("a file needs a name that is not empty".to_owned()),
        name => name.map(PathBuf::from).map_err(text),
    }
}

fn text(error: lexopt::Error) -> String {
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Option<Arguments>, String> {
        Arguments::parse(line.split_whitespace().map(OsString::from))
    }

    #[test]
    fn what_is_declared_is_taken() {
        let line = "--quick --work echo --work idle --system raw-epoll --json a.json --check";
        let arguments = parse(line).unwrap().unwrap();
        assert_eq!(arguments.effort, Effort::Quick);
        assert_eq!(arguments.limits(), Effort::Quick.limits());
        assert_eq!(arguments.works, ["echo", "idle"]);
        assert_eq!(arguments.systems, ["raw-epoll"]);
        assert_eq!(arguments.json, Some(PathBuf::from("a.json")));
        assert!(arguments.check && !arguments.list);
        assert!(parse("--help").unwrap().is_none());
    }

    #[test]
    fn a_quick_run_is_limited_unless_it_is_told_how_many_rounds() {
        let limits = |line| parse(line).unwrap().unwrap().limits();
        assert!(limits("--quick").within.is_some());
        assert_eq!(limits("--quick --rounds 7"), Limits { rounds: 7, within: None });
        assert_eq!(limits(""), Limits { rounds: 7, within: None });
    }

    #[test]
    fn what_is_not_declared_is_refused() {
        for line in ["--quickly", "echo", "--rounds 0", "--rounds many", "--work", "--json"] {
            assert!(parse(line).is_err(), "{line}");
        }
        assert!(parse("--json a --html a").unwrap_err().contains("both be a"));
        assert!(Arguments::parse(["--svg", ""].map(OsString::from).into_iter()).is_err());
    }

    #[test]
    fn the_help_names_every_option() {
        let line = "--quick --rounds 1 --work a --case a --system a --list --json a --html b --svg c \
                    --check";
        parse(line).unwrap();
        for option in line.split_whitespace().filter(|word| word.starts_with("--")) {
            assert!(HELP.contains(&format!("  {option} ")), "{option}");
        }
        let [full, quick] = [Effort::Full, Effort::Quick].map(|effort| effort.limits().rounds);
        assert!(HELP.contains(&format!("[default: {full}; with --quick {quick}]")));
    }
}
