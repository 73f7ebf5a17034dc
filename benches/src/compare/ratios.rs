//! `--check`: holds the promised ratios against a run.

use std::fmt;

use super::bounds::Bound;
use super::bounds::Limit::{self, AtLeast, AtMost};
use super::measured::{Comparison, Entry, Measured};
use super::selection::{Selection, matches};
use super::table::number;

/// What became of a bound, in one case and of one system.
pub(super) struct Verdict<'a> {
    bound: &'a Bound,
    case: String,
    ours: String,
    found: Found,
    /// Has in it what the value would come close to with ever more rounds, where there are enough of them to tell.
    interval: Option<(f64, f64)>,
    /// What the floor has, where there is one and it was measured.
    floor: Option<f64>,
}

#[derive(Clone, PartialEq, Debug)]
enum Found {
    Value(f64),
    NotMeasured(String),
    /// The command line has left it out.
    NotAsked,
}

/// Judges every bound.
pub(super) fn check<'a>(
    bounds: &'a [Bound],
    measured: &Measured,
    selection: &Selection,
) -> Vec<Verdict<'a>> {
    bounds.iter().flat_map(|bound| judge(bound, measured, selection)).collect()
}

fn judge<'a>(bound: &'a Bound, measured: &Measured, selection: &Selection) -> Vec<Verdict<'a>> {
    let of_work = measured.0.iter().filter(|comparison| comparison.work == bound.work);
    let comparisons = of_work.filter(|comparison| matches(bound.case, &comparison.case));
    let verdicts: Vec<_> =
        comparisons.flat_map(|comparison| judge_systems(bound, comparison, selection)).collect();
    match verdicts[..] {
        [] => vec![bound.missing(bound.case, bound.ours, selection, "no such case was measured")],
        _ => verdicts,
    }
}

/// Judges each system that the bound is about.
fn judge_systems<'a>(
    bound: &'a Bound,
    comparison: &Comparison,
    selection: &Selection,
) -> Vec<Verdict<'a>> {
    let case = &comparison.case;
    let names: Vec<&str> = if bound.ours.contains('*') {
        let entries = comparison.entries.iter().filter(|entry| !entry.is_left_out());
        entries.map(|entry| &*entry.system).filter(|name| matches(bound.ours, name)).collect()
    } else {
        vec![bound.ours]
    };
    if names.is_empty() {
        let known = comparison.entries.iter().filter(|entry| matches(bound.ours, &entry.system));
        let why = known.map(|entry| bound.why_missing(comparison, &entry.system)).next();
        let why = why.as_deref().unwrap_or("no such system was measured");
        return vec![bound.missing(case, bound.ours, selection, why)];
    }
    let judge = |ours: &str| match bound.value(comparison, ours) {
        // One that hangs where it is slow is not to be judged by the rest.
        _ if comparison.entry(ours).is_some_and(Entry::has_failed) => {
            bound.missing(case, ours, selection, &bound.why_missing(comparison, ours))
        }
        Some(value) => Verdict {
            interval: bound.against.and_then(|it| comparison.interval(ours, it, bound.metric)),
            floor: bound.floor.and_then(|floor| bound.value(comparison, floor)),
            ..bound.verdict(case, ours, Found::Value(value))
        },
        None => bound.missing(case, ours, selection, &bound.why_missing(comparison, ours)),
    };
    names.into_iter().map(judge).collect()
}

impl Bound {
    fn value(&self, comparison: &Comparison, ours: &str) -> Option<f64> {
        match self.against {
            Some(against) => comparison.ratio(ours, against, self.metric),
            None => comparison.entry(ours)?.median(self.metric),
        }
    }

    fn verdict(&self, case: &str, ours: &str, found: Found) -> Verdict<'_> {
        let (case, ours) = (case.to_owned(), ours.to_owned());
        Verdict { bound: self, case, ours, found, interval: None, floor: None }
    }

    /// What was not measured falls short, unless that is what the command line wants.
    fn missing(&self, case: &str, ours: &str, selection: &Selection, why: &str) -> Verdict<'_> {
        let mut systems = [Some(ours), self.against].into_iter().flatten();
        let is_asked =
            !selection.is_partial || systems.all(|system| selection.takes(self.work, case, system));
        let found = if is_asked { Found::NotMeasured(why.to_owned()) } else { Found::NotAsked };
        self.verdict(case, ours, found)
    }

    fn why_missing(&self, comparison: &Comparison, ours: &str) -> String {
        let missing = [Some(ours), self.against].into_iter().flatten().find_map(|system| {
            let entry = comparison.entry(system);
            let has_it = entry.is_some_and(|entry| entry.median(self.metric).is_some());
            let trouble = entry.and_then(|entry| entry.trouble.as_ref());
            let why = trouble.map_or_else(|| format!("no {}", self.metric).into(), |it| it.text());
            let is_whole = has_it && !(system == ours && entry.is_some_and(Entry::has_failed));
            (!is_whole).then(|| format!("{system}: {why}"))
        });
        missing.unwrap_or_else(|| "no round has both".to_owned())
    }
}

impl Verdict<'_> {
    pub(super) fn is_asked(&self) -> bool {
        self.found != Found::NotAsked
    }

    pub(super) fn holds(&self) -> bool {
        match &self.found {
            Found::Value(value) => self.bound.limit.admits(*value),
            Found::NotMeasured(_) => false,
            Found::NotAsked => true,
        }
    }

    /// True where it falls short, and the rounds are so unlike each other that it may hold all the same. A run with too few
    /// of them is taken at its word.
    fn is_in_doubt(&self) -> bool {
        let limit = self.bound.limit;
        let is_admitted = |(low, high)| limit.admits(low) || limit.admits(high);
        !self.holds() && self.interval.is_some_and(is_admitted)
    }

    /// True where it falls short, and the floor does too.
    fn is_out_of_reach(&self) -> bool {
        !self.holds() && self.floor.is_some_and(|floor| !self.bound.limit.admits(floor))
    }
}

impl Limit {
    /// The value, with as many digits as it takes to see on which side it is.
    fn beside(self, value: f64) -> String {
        let (AtMost(limit) | AtLeast(limit)) = self;
        let shown = number(value);
        if shown == number(limit) && value != limit { format!("{value:.6}") } else { shown }
    }

    fn admits(self, value: f64) -> bool {
        match self {
            AtMost(limit) => value <= limit,
            AtLeast(limit) => value >= limit,
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AtMost(limit) => write!(f, "at most {limit}"),
            AtLeast(limit) => write!(f, "at least {limit}"),
        }
    }
}

impl fmt::Display for Verdict<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verdict { bound, case, ours, found, interval, floor } = self;
        write!(f, "{} ({} {case}, {}): {ours}", bound.about, bound.work, bound.metric)?;
        if let Some(against) = bound.against {
            write!(f, " to {against}")?;
        }
        match found {
            Found::Value(value) => {
                write!(f, " is {}", bound.limit.beside(*value))?;
                if let Some((low, high)) = interval {
                    write!(f, " ({} to {})", number(*low), number(*high))?;
                }
                write!(f, ", {}", bound.limit)?;
            }
            Found::NotMeasured(why) => write!(f, " was not measured ({why}), {}", bound.limit)?,
            Found::NotAsked => write!(f, " was not asked for")?,
        }
        match (bound.floor, floor) {
            (Some(name), Some(floor)) => write!(f, "; {name}: {}", number(*floor)),
            _ => Ok(()),
        }
    }
}

/// All that was judged, those that fall short last.
pub(super) fn report(verdicts: &[Verdict<'_>]) -> String {
    let asked = verdicts.iter().filter(|verdict| verdict.is_asked());
    let (held, short): (Vec<_>, Vec<_>) = asked.partition(|verdict| verdict.holds());
    let list = |verdicts: &[&Verdict<'_>]| -> String {
        verdicts.iter().map(|verdict| format!("  {verdict}\n")).collect()
    };
    let not_asked = verdicts.len() - held.len() - short.len();
    let mut text = format!("\n{} ratios hold:\n{}", held.len(), list(&held));
    if not_asked > 0 {
        text += &format!("{not_asked} are about what was not asked for.\n");
    }
    let (far, short): (Vec<_>, Vec<_>) =
        short.into_iter().partition(|verdict| verdict.is_out_of_reach());
    if !far.is_empty() {
        let why = "fall short, and so does who does nothing else, a bare hand-over or a bare epoll";
        text += &format!("{} {why}:\n{}", far.len(), list(&far));
    }
    let (doubtful, short): (Vec<_>, Vec<_>) =
        short.into_iter().partition(|verdict| verdict.is_in_doubt());
    if !doubtful.is_empty() {
        let why = "fall short in this run, by less than its rounds can tell";
        text += &format!("{} {why}:\n{}", doubtful.len(), list(&doubtful));
    }
    if !short.is_empty() {
        text += &format!("{} fall short:\n{}", short.len(), list(&short));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::child::Outcome;
    use crate::compare::measured::Entry;
    use crate::compare::measured::tests::compared;
    use crate::compare::work::Effort;

    const BOUND: Bound = Bound {
        about: "echo",
        work: "echo",
        case: "*",
        metric: "p50",
        ours: "ours",
        against: Some("theirs"),
        limit: AtMost(1.5),
        floor: None,
    };

    fn everything() -> Selection {
        Selection { effort: Effort::Quick, contests: Vec::new(), is_partial: false }
    }

    fn crafted(ours: &[f64], theirs: &[f64]) -> Measured {
        Measured(vec![compared("echo", "tcp", &[("ours", ours), ("theirs", theirs)])])
    }

    #[test]
    fn a_ratio_within_its_limit_holds() {
        let bounds = [BOUND];
        let verdicts = check(&bounds, &crafted(&[3.0], &[2.0]), &everything());
        assert!(verdicts.iter().all(Verdict::holds));
        assert!(report(&verdicts).starts_with("\n1 ratios hold:\n"));
    }

    #[test]
    fn a_ratio_that_falls_short_is_named() {
        let bounds = [BOUND];
        let verdicts = check(&bounds, &crafted(&[4.0], &[2.0]), &everything());
        assert!(!verdicts[0].holds());
        let report = report(&verdicts);
        let line = "1 fall short:\n  echo (echo tcp, p50): ours to theirs is 2.00, at most 1.5\n";
        assert!(report.ends_with(line), "{report}");
    }

    #[test]
    fn what_the_floor_does_not_reach_either_is_told_apart() {
        let bounds = [Bound { floor: Some("floor"), ..BOUND }];
        let figures = |floor| {
            let figures: [(&str, &[f64]); 3] =
                [("ours", &[4.0]), ("theirs", &[2.0]), ("floor", floor)];
            Measured(vec![compared("echo", "tcp", &figures)])
        };
        let (near, far) = (figures(&[2.0]), figures(&[3.5]));
        let report = |measured| report(&check(&bounds, measured, &everything()));
        let line = "1 fall short:\n  echo (echo tcp, p50): ours to theirs is 2.00, at most 1.5; floor: 1.00\n";
        assert!(report(&near).ends_with(line), "{}", report(&near));
        assert!(
            report(&far).contains("1 fall short, and so does who does nothing else"),
            "{}",
            report(&far)
        );
        assert!(!check(&bounds, &far, &everything()).iter().any(Verdict::holds));
    }

    #[test]
    fn a_ratio_whose_rounds_are_on_both_sides_of_the_limit_is_in_doubt() {
        let bounds = [BOUND];
        let report = |ours: &[f64]| {
            let verdicts = check(&bounds, &crafted(ours, &[2.0; 7]), &everything());
            assert!(!verdicts[0].holds());
            report(&verdicts)
        };
        let scattered = report(&[2.9, 3.0, 3.1, 3.2, 3.3, 3.3, 3.4]);
        let line = "by less than its rounds can tell:\n  echo (echo tcp, p50): ours to theirs is 1.60 (1.45 to 1.70), at most 1.5\n";
        assert!(scattered.ends_with(line), "{scattered}");
        let certain = report(&[3.1, 3.1, 3.1, 3.2, 3.3, 3.3, 3.4]);
        assert!(certain.contains("\n1 fall short:\n"), "{certain}");
    }

    #[test]
    fn a_lower_limit_is_one() {
        let bounds = [Bound { limit: AtLeast(1.5), ..BOUND }];
        assert!(check(&bounds, &crafted(&[4.0], &[2.0]), &everything())[0].holds());
        assert!(!check(&bounds, &crafted(&[2.0], &[2.0]), &everything())[0].holds());
    }

    #[test]
    fn every_case_and_every_system_is_judged() {
        let bounds = [Bound { ours: "o*", against: None, limit: AtMost(2.0), ..BOUND }];
        let figures: [(&str, &[f64]); 3] =
            [("ours", &[1.0]), ("other", &[2.0]), ("theirs", &[9.0])];
        let cases = ["tcp", "udp"].map(|case| compared("echo", case, &figures));
        let verdicts = check(&bounds, &Measured(cases.into()), &everything());
        assert_eq!(verdicts.len(), 4);
        assert!(verdicts.iter().all(Verdict::holds));
    }

    #[test]
    fn what_was_not_measured_falls_short_with_the_reason() {
        let bounds = [BOUND, Bound { work: "fan", ..BOUND }];
        let mut measured = crafted(&[3.0], &[]);
        measured.0[0].entries.pop();
        let mut theirs = Entry::new("theirs");
        theirs.add(Outcome::LeftOut("built without it".to_owned()));
        measured.0[0].entries.push(theirs);
        let verdicts = check(&bounds, &measured, &everything());
        let texts: Vec<_> = verdicts.iter().map(Verdict::to_string).collect();
        assert!(
            texts[0].contains("not measured (theirs: left out: built without it)"),
            "{texts:?}"
        );
        assert!(texts[1].contains("not measured (no such case was measured)"), "{texts:?}");
        assert!(!verdicts.iter().any(Verdict::holds));
    }

    #[test]
    fn who_fails_in_a_round_does_not_hold_by_the_others() {
        let bounds = [BOUND];
        let mut measured = crafted(&[3.0, 3.0], &[2.0, 2.0, 2.0]);
        let Comparison { entries, .. } = &mut measured.0[0];
        entries[0].add(Outcome::Failed("it hung".to_owned()));
        let verdicts = check(&bounds, &measured, &everything());
        let text = verdicts[0].to_string();
        assert!(text.contains("not measured (ours: failed: it hung)"), "{text}");
        assert!(!verdicts[0].holds());
    }

    #[test]
    fn a_value_beside_its_limit_is_told_on_which_side_it_is() {
        assert_eq!(AtMost(1.05).beside(1.0512), "1.051200");
        assert_eq!(AtMost(1.05).beside(1.05), "1.05");
        assert_eq!(AtMost(1.05).beside(1.1), "1.10");
    }

    #[test]
    fn where_all_systems_of_a_pattern_are_left_out_the_reason_is_told() {
        let bounds = [Bound { ours: "our*", ..BOUND }];
        let mut measured = crafted(&[], &[2.0]);
        measured.0[0].entries.remove(0);
        let mut ours = Entry::new("ours");
        ours.add(Outcome::LeftOut("built without it".to_owned()));
        measured.0[0].entries.push(ours);
        let verdicts = check(&bounds, &measured, &everything());
        let text = verdicts[0].to_string();
        assert!(text.contains("our* to theirs was not measured (ours: left out: "), "{text}");
        assert!(!verdicts[0].holds());
    }

    #[test]
    fn what_the_command_line_left_out_is_no_failure() {
        let bounds = [BOUND, Bound { work: "fan", ..BOUND }];
        let partly = Selection { is_partial: true, ..everything() };
        let measured = Measured(vec![compared("echo", "tcp", &[("ours", &[1.0])])]);
        let verdicts = check(&bounds, &measured, &partly);
        assert!(verdicts.iter().all(Verdict::holds));
        assert!(report(&verdicts).contains("2 are about what was not asked for"));
    }
}
