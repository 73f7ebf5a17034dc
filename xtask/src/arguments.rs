//! What a command takes, and the text that says so.

use std::process::ExitCode;

/// A command of `cargo xtask`.
pub(crate) struct Subcommand {
    pub(crate) name: &'static str,
    /// The words that it must be given, in order.
    pub(crate) positionals: &'static [&'static str],
    /// The flags that it may be given, each with what it does.
    pub(crate) flags: &'static [(&'static str, &'static str)],
    pub(crate) about: &'static str,
    pub(crate) run: fn(&Arguments) -> ExitCode,
}

impl Subcommand {
    fn usage(&self) -> String {
        let flags = self.flags.iter().map(|(flag, _)| format!(" [{flag}]"));
        let positionals = self.positionals.iter().map(|name| format!(" {name}"));
        format!("cargo xtask {}", self.name) + &flags.chain(positionals).collect::<String>()
    }

    pub(crate) fn help(&self) -> String {
        let mut help = format!("{}\n\n{}\n", self.usage(), self.about);
        for (flag, about) in self.flags.iter().chain(&[("--help", "this text")]) {
            help += &format!("\n  {flag:<14}{about}");
        }
        help
    }
}

/// The commands, each with the first sentence of its text.
pub(crate) fn overview(subcommands: &[Subcommand]) -> String {
    let mut overview = String::from("The commands are:\n");
    for subcommand in subcommands {
        let about = subcommand.about.replace('\n', " ");
        let sentence = about.split_inclusive(". ").next().unwrap_or_default().trim_end();
        overview += &format!("\n  {}\n      {sentence}\n", subcommand.usage());
    }
    overview + "\n`cargo xtask COMMAND --help` says more."
}

/// Says why a command line is refused.
pub(crate) fn refuse(message: &str) -> ExitCode {
    eprintln!("xtask: {message}");
    ExitCode::from(2)
}

/// What a command was given.
pub(crate) struct Arguments {
    flags: Vec<&'static str>,
    pub(crate) positionals: Vec<String>,
    pub(crate) help: bool,
}

impl Arguments {
    pub(crate) fn parse(
        subcommand: &Subcommand,
        words: impl Iterator<Item = String>,
    ) -> Result<Arguments, String> {
        let mut arguments = Arguments { flags: Vec::new(), positionals: Vec::new(), help: false };
        for word in words {
            if matches!(word.as_str(), "-h" | "--help") {
                arguments.help = true;
            } else if let Some((flag, _)) = subcommand.flags.iter().find(|(flag, _)| *flag == word)
            {
                arguments.flags.push(flag);
            } else if !word.starts_with('-')
                && arguments.positionals.len() < subcommand.positionals.len()
            {
                arguments.positionals.push(word);
            } else {
                return Err(format!("{} does not take {word:?}", subcommand.name));
            }
        }
        let missing = subcommand.positionals.get(arguments.positionals.len());
        match missing {
            Some(missing) if !arguments.help => Err(format!("{} needs {missing}", subcommand.name)),
            _ => Ok(arguments),
        }
    }

    pub(crate) fn has(&self, flag: &str) -> bool {
        self.flags.contains(&flag)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRESS: Subcommand = Subcommand {
        name: "stress",
        positionals: &["NAME", "COUNT"],
        flags: &[("--quietly", "say less")],
        about: "Loops. Then stops.",
        run: |_| ExitCode::SUCCESS,
    };

    fn parse(line: &str) -> Result<Arguments, String> {
        Arguments::parse(&STRESS, line.split_whitespace().map(String::from))
    }

    #[test]
    fn what_is_declared_is_taken() {
        let arguments = parse("wake --quietly 7").unwrap();
        assert_eq!(arguments.positionals, ["wake", "7"]);
        assert!(arguments.has("--quietly"));
        assert!(parse("--help").unwrap().help);
    }

    #[test]
    fn what_is_not_declared_is_refused() {
        assert_eq!(parse("wake 7 8").err().unwrap(), "stress does not take \"8\"");
        assert_eq!(parse("wake 7 --loudly").err().unwrap(), "stress does not take \"--loudly\"");
        assert_eq!(parse("wake").err().unwrap(), "stress needs COUNT");
    }

    #[test]
    fn the_overview_gives_the_first_sentence() {
        let overview = overview(&[STRESS]);
        assert!(overview.contains("cargo xtask stress [--quietly] NAME COUNT\n      Loops.\n"));
    }
}
