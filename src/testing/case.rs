//! One case, and what its process tells the one that started it.

use std::error::Error;
use std::fmt;
use std::io;
use std::process;

/// A case of a host.
pub(super) struct Case {
    pub(super) name: String,
    pub(super) environment: &'static [(&'static str, &'static str)],
    pub(super) run: Box<dyn FnOnce() -> io::Result<()>>,
}

/// Begins a line of the standard output that is meant for the kit.
const MARK: &str = "interloop-testing: ";

/// What a process says to the one that started it, in a line of its own.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Word {
    /// The case has come to its end. An exit code alone does not say so: a toolkit that calls `exit(0)`
    /// ends the process too.
    Passed,
    /// The toolkit is not here: the case is skipped, unless hosts are required.
    Absent(String),
    /// The host has no such thing: the case is skipped.
    Inapplicable(String),
    /// Something measured, to be shown.
    Note(String),
}

impl Word {
    pub(super) fn say(&self) {
        match self {
            Word::Passed => println!("{MARK}passed"),
            Word::Absent(why) => println!("{MARK}absent {why}"),
            Word::Inapplicable(why) => println!("{MARK}inapplicable {why}"),
            Word::Note(what) => println!("{MARK}note {what}"),
        }
    }

    /// The word that a line of the output is. A toolkit may have left text without a line's end
    /// before it.
    pub(super) fn read(line: &str) -> Option<Word> {
        let word = line.split_once(MARK)?.1.trim_end();
        match word.split_once(' ').unwrap_or((word, "")) {
            ("passed", _) => Some(Word::Passed),
            ("absent", why) => Some(Word::Absent(why.to_owned())),
            ("inapplicable", why) => Some(Word::Inapplicable(why.to_owned())),
            ("note", what) => Some(Word::Note(what.to_owned())),
            _ => None,
        }
    }
}

/// The error of a case that has nothing to try here, though the toolkit is there: a limit that this version
/// has not, say. Answered by a [case](super::Kit::case), it skips the case, wherever it runs.
pub fn inapplicable(why: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, Inapplicable(why.into()))
}

/// What [`inapplicable`] puts into its error.
#[derive(Debug)]
struct Inapplicable(String);

impl fmt::Display for Inapplicable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Inapplicable {}

/// The value, where it is there; an error of the kind `Unsupported` ends the process with `word`, and
/// its case is skipped. It is called inside callbacks of the toolkit too, which no error can leave.
///
/// # Panics
///
/// With any other error.
#[track_caller]
pub(super) fn or_skip<T>(word: fn(String) -> Word, what: &str, result: io::Result<T>) -> T {
    match result {
        Ok(value) => value,
        Err(error) if error.kind() == io::ErrorKind::Unsupported => {
            let why = format!("{what}: {error}").replace('\n', " ");
            let applies = error.get_ref().is_none_or(|inner| !inner.is::<Inapplicable>());
            if applies { word(why) } else { Word::Inapplicable(why) }.say();
            process::exit(0);
        }
        Err(error) => panic!("{what}: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_wherever_they_stand_in_a_line() {
        assert_eq!(Word::read("interloop-testing: passed\r\n"), Some(Word::Passed));
        let skipped = Word::read("50 %interloop-testing: absent no display :0");
        assert_eq!(skipped, Some(Word::Absent("no display :0".to_owned())));
        assert_eq!(Word::read("passed"), None);
    }
}
