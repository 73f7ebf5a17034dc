//! What a run has measured, and the arithmetic on it.

use std::borrow::Cow;
use std::f64::consts::LN_2;

use serde::Serialize;

use super::child::Outcome;
use super::work::Figure;

/// All that a run has measured.
pub(super) struct Measured(pub(super) Vec<Comparison>);

/// A case of a work, done by several systems.
pub(super) struct Comparison {
    pub(super) work: &'static str,
    pub(super) case: String,
    pub(super) reference: &'static str,
    pub(super) entries: Vec<Entry>,
}

/// What one system took.
pub(super) struct Entry {
    pub(super) system: String,
    /// One for each round, in order; none where the sample failed.
    rounds: Vec<Option<Vec<Figure>>>,
    /// Why figures are missing.
    pub(super) trouble: Option<Trouble>,
}

/// Why a system has no figures, or not those of all rounds.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Trouble {
    LeftOut(String),
    Failed(String),
}

/// A figure of the run: the median of the rounds, and what lies around it.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub(super) struct Row<'a> {
    pub(super) work: &'a str,
    pub(super) case: &'a str,
    pub(super) system: &'a str,
    pub(super) metric: &'a str,
    pub(super) unit: &'a str,
    pub(super) median: f64,
    pub(super) low: f64,
    pub(super) high: f64,
    pub(super) runs: usize,
}

impl Measured {
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.0.iter().flat_map(Comparison::rows)
    }
}

impl Comparison {
    pub(super) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.entries.iter().flat_map(|entry| entry.rows(self))
    }

    /// The metrics of all systems with their units, in the order in which they come first.
    pub(super) fn metrics(&self) -> Vec<(&str, &str)> {
        let mut metrics = Vec::new();
        for metric in self.entries.iter().flat_map(Entry::metrics) {
            if !metrics.contains(&metric) {
                metrics.push(metric);
            }
        }
        metrics
    }

    pub(super) fn entry(&self, system: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.system == system)
    }

    /// The ratio of two systems: the median, over the rounds, of the ratio in each. The two samples of a
    /// round are taken within seconds, so what slows the machine down for a while slows both, and a
    /// round that it has spoiled for one of them is one vote among all. None where no round has both.
    pub(super) fn ratio(&self, ours: &str, against: &str, metric: &str) -> Option<f64> {
        median(self.ratios(ours, against, metric))
    }

    /// What that median would come close to with ever more rounds lies in here, with a probability of 95 %. None where there are
    /// too few rounds to tell.
    pub(super) fn interval(&self, ours: &str, against: &str, metric: &str) -> Option<(f64, f64)> {
        interval(self.ratios(ours, against, metric))
    }

    /// The ratio of two systems in each round that has both.
    fn ratios(&self, ours: &str, against: &str, metric: &str) -> Vec<f64> {
        let (Some(ours), Some(against)) = (self.entry(ours), self.entry(against)) else {
            return Vec::new();
        };
        let rounds = ours.values(metric).zip(against.values(metric));
        let ratios = rounds.filter_map(|(ours, against)| Some(ours? / against?));
        ratios.filter(|ratio| ratio.is_finite()).collect()
    }
}

impl Entry {
    pub(super) fn new(system: &str) -> Entry {
        Entry { system: system.to_owned(), rounds: Vec::new(), trouble: None }
    }

    /// Adds what came of another round.
    pub(super) fn add(&mut self, outcome: Outcome) {
        let trouble = match outcome {
            Outcome::Measured(figures) => return self.rounds.push(Some(figures)),
            Outcome::LeftOut(why) => Trouble::LeftOut(why),
            Outcome::Failed(why) => Trouble::Failed(why),
        };
        self.rounds.push(None);
        self.trouble.get_or_insert(trouble);
    }

    /// True where at least one of its samples came to nothing.
    pub(super) fn has_failed(&self) -> bool {
        matches!(self.trouble, Some(Trouble::Failed(_)))
    }

    pub(super) fn is_left_out(&self) -> bool {
        matches!(self.trouble, Some(Trouble::LeftOut(_)))
    }

    /// The metrics that it has, with their units, as the first sample that has come has them.
    fn metrics(&self) -> impl Iterator<Item = (&str, &str)> {
        let first = self.rounds.iter().flatten().next();
        first.into_iter().flatten().map(|figure| (&*figure.metric, &*figure.unit))
    }

    /// What it took in each round.
    fn values(&self, metric: &str) -> impl Iterator<Item = Option<f64>> {
        self.rounds.iter().map(move |figures| {
            let mut figures = figures.iter().flatten();
            figures.find(|figure| figure.metric == metric).map(|figure| figure.value)
        })
    }

    /// The median over the rounds. None where there is none.
    pub(super) fn median(&self, metric: &str) -> Option<f64> {
        median(self.values(metric).flatten().collect())
    }

    fn rows<'a>(&'a self, of: &'a Comparison) -> impl Iterator<Item = Row<'a>> {
        self.metrics().filter_map(move |(metric, unit)| {
            let values: Vec<f64> = self.values(metric).flatten().collect();
            Some(Row {
                work: of.work,
                case: &of.case,
                system: &self.system,
                metric,
                unit,
                low: values.iter().copied().reduce(f64::min)?,
                high: values.iter().copied().reduce(f64::max)?,
                runs: values.len(),
                median: median(values)?,
            })
        })
    }
}

impl Trouble {
    pub(super) fn text(&self) -> Cow<'_, str> {
        match self {
            Trouble::LeftOut(why) => Cow::Owned(format!("left out: {why}")),
            Trouble::Failed(why) => Cow::Owned(format!("failed: {why}")),
        }
    }
}

/// The middle one, or what lies midway between the two in the middle. None of none.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}

/// The interval that has the true median in it with a probability of 95 % at least, whatever the values are
/// distributed like: the true median is equally likely to be above and below each of them. None of fewer than six,
/// of which even the lowest and the highest do not enclose it so surely.
fn interval(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.sort_by(f64::total_cmp);
    let count = values.len();
    // The chance that fewer than `below` of the values are below the true median, and the logarithm of that for exactly
    // so many.
    let (mut below, mut chance, mut exactly) = (0, 0.0, -LN_2 * count as f64);
    while below < count && chance + exactly.exp() <= 0.025 {
        chance += exactly.exp();
        below += 1;
        exactly += ((count - below + 1) as f64 / below as f64).ln();
    }
    let lowest = below.checked_sub(1)?;
    Some((values[lowest], values[count - 1 - lowest]))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A comparison of what `figures` tells: a system and what it took, of p50, in each round.
    pub(crate) fn compared(
        work: &'static str,
        case: &str,
        figures: &[(&str, &[f64])],
    ) -> Comparison {
        let entries = figures.iter().map(|(system, values)| {
            let mut entry = Entry::new(system);
            for &value in *values {
                entry.add(Outcome::Measured(vec![Figure::new("p50", "ns", value)]));
            }
            entry
        });
        Comparison {
            work,
            case: case.to_owned(),
            reference: "raw-epoll",
            entries: entries.collect(),
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![3.0]), Some(3.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(median(vec![9.0, 1.0, 2.0, 4.0]), Some(3.0));
    }

    /// The places are those of the tables of the sign test.
    #[test]
    fn the_interval_leaves_out_as_many_at_each_end_as_the_sign_test_does() {
        let of = |count: u32| interval((1..=count).rev().map(f64::from).collect());
        assert_eq!([of(0), of(1), of(5)], [None; 3]);
        assert_eq!(of(6), Some((1.0, 6.0)));
        assert_eq!(of(9), Some((2.0, 8.0)));
        assert_eq!(of(31), Some((10.0, 22.0)));
        assert_eq!(of(100), Some((40.0, 61.0)));
        assert_eq!(of(10_000), Some((4902.0, 5099.0)));
    }

    #[test]
    fn a_row_has_the_median_and_what_lies_around_it() {
        let comparison = compared("echo", "pair", &[("raw-epoll", &[5.0, 3.0, 40.0])]);
        let rows: Vec<_> = comparison.rows().collect();
        let [Row { median: 5.0, low: 3.0, high: 40.0, runs: 3, metric: "p50", unit: "ns", .. }] =
            rows[..]
        else {
            panic!("{rows:?}");
        };
    }

    #[test]
    fn a_ratio_is_taken_within_each_round() {
        // In the second round the whole machine was ten times slower.
        let figures: [(&str, &[f64]); 2] =
            [("ours", &[2.0, 30.0, 2.0]), ("raw-epoll", &[1.0, 10.0, 1.0])];
        let comparison = compared("echo", "pair", &figures);
        assert_eq!(comparison.ratio("ours", "raw-epoll", "p50"), Some(2.0));
        assert_eq!(comparison.ratio("ours", "theirs", "p50"), None);
        assert_eq!(comparison.ratio("ours", "raw-epoll", "p99"), None);
    }

    #[test]
    fn a_round_that_failed_is_paired_with_none() {
        let mut comparison = compared("echo", "pair", &[("raw-epoll", &[1.0, 2.0, 4.0])]);
        let mut ours = Entry::new("ours");
        for outcome in [
            Outcome::Failed("it fell".to_owned()),
            Outcome::Measured(vec![Figure::new("p50", "ns", 6.0)]),
            Outcome::Measured(vec![Figure::new("p50", "ns", 12.0)]),
        ] {
            ours.add(outcome);
        }
        comparison.entries.push(ours);
        assert_eq!(comparison.ratio("ours", "raw-epoll", "p50"), Some(3.0));
        let ours = comparison.entry("ours").unwrap();
        assert_eq!(ours.trouble.as_ref().unwrap().text(), "failed: it fell");
        assert_eq!(ours.rows(&comparison).next().unwrap().runs, 2);
    }
}
