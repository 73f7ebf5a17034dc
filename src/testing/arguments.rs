//! The command line of a test program, as cargo and nextest use it.

/// What was asked for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Arguments {
    /// Parts of names; without one, every case is meant.
    filters: Vec<String>,
    skips: Vec<String>,
    exact: bool,
    pub(super) list: bool,
    /// Only what is ignored as such, which no case of the kit is.
    pub(super) ignored: bool,
    pub(super) nocapture: bool,
}

/// Options of the standard test harness that take a value, and mean nothing here.
const WITH_VALUE: [&str; 5] = ["--test-threads", "--format", "--color", "--logfile", "-Z"];

impl Arguments {
    pub(super) fn parse(words: impl IntoIterator<Item = String>) -> Arguments {
        let mut arguments = Arguments::default();
        let mut words = words.into_iter();
        while let Some(word) = words.next() {
            match word.as_str() {
                "--exact" => arguments.exact = true,
                "--list" => arguments.list = true,
                "--ignored" => arguments.ignored = true,
                "--nocapture" | "--no-capture" => arguments.nocapture = true,
                "--skip" => arguments.skips.extend(words.next()),
                option if WITH_VALUE.contains(&option) => drop(words.next()),
                option if option.starts_with("--skip=") => {
                    arguments.skips.push(option["--skip=".len()..].to_owned());
                }
                option if option.starts_with('-') => {}
                _ => arguments.filters.push(word),
            }
        }
        arguments
    }

    /// Whether the case of this name was asked for.
    pub(super) fn takes(&self, name: &str) -> bool {
        let fits = |filter: &String| {
            if self.exact { name == filter } else { name.contains(filter.as_str()) }
        };
        let asked = self.filters.is_empty() || self.filters.iter().any(fits);
        asked && !self.skips.iter().any(fits) && !self.ignored
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Arguments {
        Arguments::parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn a_part_of_a_name_is_enough_unless_it_must_be_exact() {
        assert!(parse("").takes("gtk::echo"));
        assert!(parse("--test-threads 1 ech").takes("gtk::echo"));
        assert!(!parse("ech --exact --nocapture").takes("gtk::echo"));
        assert!(parse("gtk::echo --exact --format terse").takes("gtk::echo"));
        assert!(parse("calls echo").takes("gtk::echo"));
    }

    #[test]
    fn what_is_skipped_is_not_taken() {
        assert!(!parse("--skip echo").takes("gtk::echo"));
        assert!(parse("gtk --skip=calls").takes("gtk::echo"));
    }
}
