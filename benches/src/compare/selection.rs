//! What of all the works, cases and systems a run takes.

use std::fmt;

use super::arguments::Arguments;
use super::work::{Effort, Work};
use crate::works;

/// What a run measures.
pub(super) struct Selection {
    pub(super) effort: Effort,
    pub(super) contests: Vec<Contest>,
    /// True where the command line has chosen among the works, the cases or the systems.
    pub(super) is_partial: bool,
}

/// A case of a work, and the systems that are compared in it.
pub(super) struct Contest {
    pub(super) work: &'static Work,
    pub(super) case: String,
    pub(super) systems: Vec<String>,
}

impl Selection {
    /// What the command line asks for.
    ///
    /// # Errors
    ///
    /// A name that nothing has, with those that there are.
    pub(super) fn of(arguments: &Arguments) -> Result<Selection, String> {
        Selection::among(works::ALL, arguments)
    }

    fn among(works: &'static [Work], arguments: &Arguments) -> Result<Selection, String> {
        let Arguments { effort, works: named, cases, systems, .. } = arguments;
        find_all("work", named, works.iter().map(|work| work.name.to_owned()))?;
        let taken = works.iter().filter(|work| is_taken(named, work.name));
        let everything: Vec<_> = taken.flat_map(|work| Contest::all_of(work, *effort)).collect();
        find_all("case", cases, everything.iter().map(|contest| contest.case.clone()))?;
        find_all("system", systems, everything.iter().flat_map(|contest| contest.systems.clone()))?;
        let mut contests = everything;
        contests.retain(|contest| is_taken(cases, &contest.case));
        for contest in &mut contests {
            contest.systems.retain(|system| is_taken(systems, system));
        }
        contests.retain(|contest| !contest.systems.is_empty());
        if contests.is_empty() {
            return Err("no work has such a case and such a system at once".to_owned());
        }
        let is_partial = [named, cases, systems].iter().any(|names| !names.is_empty());
        Ok(Selection { effort: *effort, contests, is_partial })
    }

    /// True if in a case like this of the work a system like this is measured: a star stands for anything.
    pub(super) fn takes(&self, work: &str, case: &str, system: &str) -> bool {
        let of_work = self.contests.iter().filter(|contest| contest.work.name == work);
        let mut contests = of_work.filter(|contest| matches(case, &contest.case));
        contests.any(|contest| contest.systems.iter().any(|taken| matches(system, taken)))
    }
}

impl Contest {
    fn all_of(work: &'static Work, effort: Effort) -> impl Iterator<Item = Contest> {
        (work.cases)(effort).into_iter().map(move |case| {
            let systems = (work.systems)(&case, effort);
            Contest { work, case, systems }
        })
    }
}

/// Checks that each of `names` is the name of something.
fn find_all(
    kind: &str,
    names: &[String],
    existing: impl Iterator<Item = String>,
) -> Result<(), String> {
    let mut existing: Vec<_> = existing.collect();
    existing.sort();
    existing.dedup();
    let is_missing = |name: &&String| !existing.iter().any(|known| matches(name, known));
    match names.iter().find(is_missing) {
        Some(name) => {
            Err(format!("there is no {kind} {name:?}; there are: {}", existing.join(", ")))
        }
        None => Ok(()),
    }
}

fn is_taken(names: &[String], name: &str) -> bool {
    names.is_empty() || names.iter().any(|pattern| matches(pattern, name))
}

/// True if the name is the pattern, in which a star stands for anything.
pub(super) fn matches(pattern: &str, name: &str) -> bool {
    let Some((beginning, rest)) = pattern.split_once('*') else {
        return name == pattern;
    };
    let after = name.strip_prefix(beginning);
    let mut ends = after.into_iter().flat_map(|after| (0..=after.len()).map(|at| after.get(at..)));
    ends.any(|end| end.is_some_and(|end| matches(rest, end)))
}

impl fmt::Display for Selection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut last = "";
        for Contest { work, case, systems } in &self.contests {
            if work.name != last {
                writeln!(f, "{}: {}; ratios to {}", work.name, work.about, work.reference)?;
                last = work.name;
            }
            writeln!(f, "  {case}")?;
            systems.iter().try_for_each(|system| writeln!(f, "    {system}"))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;

    fn select(line: &str) -> Result<Selection, String> {
        let words = line.split_whitespace().map(OsString::from);
        Selection::of(&Arguments::parse(words).unwrap().unwrap())
    }

    #[test]
    fn everything_is_taken_unless_something_is_named() {
        let everything = select("").unwrap();
        assert!(!everything.is_partial);
        for work in works::ALL {
            assert!(everything.contests.iter().any(|contest| contest.work.name == work.name));
        }
        let echo = select("--work echo --system raw-epoll --system interloop/epoll/*").unwrap();
        assert!(echo.is_partial);
        assert!(echo.takes("echo", "socketpair/back-to-back/one-cpu", "raw-epoll"));
        assert!(echo.takes(
            "echo",
            "socketpair/back-to-back/one-cpu",
            "interloop/epoll/worker/condvar"
        ));
        assert!(!echo.takes(
            "echo",
            "socketpair/back-to-back/one-cpu",
            "interloop/poll/worker/condvar"
        ));
    }

    #[test]
    fn a_name_that_nothing_has_is_named_with_those_that_there_are() {
        let message = select("--work ehco").err().unwrap();
        assert!(message.starts_with("there is no work \"ehco\"; there are: "), "{message}");
        assert!(message.contains("echo"), "{message}");
        let message = select("--work echo --system raw-kqueue").err().unwrap();
        assert!(message.starts_with("there is no system \"raw-kqueue\""), "{message}");
        assert!(message.contains("raw-epoll, "), "{message}");
        assert!(select("--case loud").err().unwrap().contains("socketpair/back-to-back"));
    }

    #[test]
    fn names_that_do_not_go_together_are_refused() {
        let line = "--work echo --work calls --case 1-thread --system raw-epoll";
        let message = select(line).err().unwrap();
        assert_eq!(message, "no work has such a case and such a system at once");
    }

    #[test]
    fn a_star_stands_for_anything() {
        for pattern in ["glib", "*", "gl*", "*b", "g*b", "*li*", "g**lib*"] {
            assert!(matches(pattern, "glib"), "{pattern}");
        }
        for pattern in ["", "gli", "g*c", "*glibc", "lib*", "glib*glib"] {
            assert!(!matches(pattern, "glib"), "{pattern}");
        }
    }

    #[test]
    fn every_reference_is_one_of_the_systems() {
        for contest in select("").unwrap().contests {
            let Contest { work, case, systems } = contest;
            assert!(systems.iter().any(|system| system == work.reference), "{} {case}", work.name);
        }
    }
}
