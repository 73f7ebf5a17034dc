//! The interleaved rounds.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

use super::child::Outcome;
use super::measured::{Comparison, Entry, Measured};
use super::selection::{Contest, Selection};
use super::work::{Effort, Sample, Work};

/// How much a run may take.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Limits {
    /// How many samples each system gives.
    pub(crate) rounds: usize,
    /// Rounds that would end later than this are not taken, but for the first.
    pub(crate) within: Option<Duration>,
}

/// Takes every sample of the selection. `sample` takes those that it is given at once, which mostly is one.
/// `done` gets each comparison as soon as it is complete.
///
/// Where the time is limited, each round goes through all comparisons, so that those that come last have
/// as many as the first. Otherwise one comparison is completed after the other.
pub(super) fn run(
    selection: &Selection,
    limits: Limits,
    mut sample: impl FnMut(&Work, &[Sample]) -> Vec<Outcome>,
    mut done: impl FnMut(&Comparison),
) -> Measured {
    let began = Instant::now();
    let contests = &selection.contests;
    let together = if limits.within.is_some() { contests.len() } else { 1 };
    let mut measured = Vec::new();
    for contests in contests.chunks(together.max(1)) {
        let mut comparisons: Vec<_> = contests.iter().map(Comparison::of).collect();
        for round in 0..limits.rounds {
            if !limits.allow(round, began.elapsed()) {
                progress("");
                eprintln!("compare: {round} of {} rounds, as the machine is slow", limits.rounds);
                break;
            }
            for (contest, comparison) in contests.iter().zip(&mut comparisons) {
                let taken = format!("{}/{}", round + 1, limits.rounds);
                let entries = comparison.in_turn(round, limits.rounds);
                take(contest, selection.effort, entries, &taken, &mut sample);
            }
        }
        comparisons.iter().for_each(&mut done);
        measured.append(&mut comparisons);
    }
    progress("");
    Measured(measured)
}

impl Limits {
    /// True if another round, which takes as long as those before, ends in time.
    fn allow(&self, taken: usize, elapsed: Duration) -> bool {
        let (Ok(taken), Some(within)) = (u32::try_from(taken), self.within) else {
            return true;
        };
        taken == 0 || elapsed + elapsed / taken <= within
    }
}

impl Comparison {
    fn of(contest: &Contest) -> Comparison {
        let Contest { work, case, systems } = contest;
        let entries = systems.iter().map(|system| Entry::new(system)).collect();
        Comparison { work: work.name, case: case.clone(), reference: work.reference, entries }
    }

    /// The systems in the order of this round: each begins with another, and every other one goes backwards,
    /// so that none is always the first, or the one after a certain other. What is not to be had is not
    /// asked for again.
    fn in_turn(&mut self, round: usize, of: usize) -> Vec<&mut Entry> {
        // Those of a long run take a full turn again and again.
        let of = of.min(self.entries.len()).max(1);
        let first = round % of * self.entries.len() / of;
        let is_backwards = round % 2 == 1;
        let behind = (first + usize::from(is_backwards)).min(self.entries.len());
        let (head, tail) = self.entries.split_at_mut(behind);
        let turn = tail.iter_mut().chain(head).filter(|entry| !entry.is_left_out());
        if is_backwards { turn.rev().collect() } else { turn.collect() }
    }
}

/// One sample of each: what the machine does beside them befalls all alike.
fn take(
    contest: &Contest,
    effort: Effort,
    mut entries: Vec<&mut Entry>,
    round: &str,
    sample: &mut impl FnMut(&Work, &[Sample]) -> Vec<Outcome>,
) {
    let Contest { work, case, .. } = contest;
    let together = if work.at_once { entries.len().max(1) } else { 1 };
    for entries in entries.chunks_mut(together) {
        let systems = entries.iter().map(|entry| entry.system.clone());
        let samples: Vec<_> =
            systems.map(|system| Sample { case: case.clone(), system, effort }).collect();
        let system = if work.at_once { "all systems" } else { &samples[0].system };
        progress(&format!("{} {case} {round} {system}", work.name));
        let outcomes = sample(work, &samples);
        entries.iter_mut().zip(outcomes).for_each(|(entry, outcome)| entry.add(outcome));
    }
}

/// Tells whoever watches what is being measured.
fn progress(what: &str) {
    let mut stderr = stderr();
    if stderr.is_terminal() {
        // Nobody is there to be told that a terminal has gone.
        let _ = write!(stderr, "\r\x1b[K{what}");
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::*;
    use crate::compare::measured::Trouble;
    use crate::compare::work::Figure;

    const WORK: Work = Work {
        name: "nothing",
        about: "does nothing",
        reference: "a",
        cases: |_| vec!["only".to_owned()],
        systems: |_, _| ["a", "b", "c"].map(str::to_owned).to_vec(),
        at_once: false,
        sample: |_| unreachable!("the tests take their own samples"),
    };

    /// No limit but the number of rounds.
    fn limits(rounds: usize) -> Limits {
        Limits { rounds, within: None }
    }

    fn contest(work: &'static Work) -> Contest {
        Contest { work, case: "only".to_owned(), systems: (work.systems)("only", Effort::Quick) }
    }

    fn selection(contests: Vec<Contest>) -> Selection {
        Selection { effort: Effort::Quick, contests, is_partial: false }
    }

    fn run_with(
        rounds: usize,
        mut outcome: impl FnMut(&str, usize) -> Outcome,
    ) -> (Vec<String>, Measured) {
        let mut order = Vec::new();
        let sample = |_: &Work, samples: &[Sample]| {
            let each = samples.iter().map(|sample| {
                order.push(sample.system.clone());
                outcome(&sample.system, order.len())
            });
            each.collect()
        };
        let measured = run(&selection(vec![contest(&WORK)]), limits(rounds), sample, |_| ());
        (order, measured)
    }

    #[test]
    fn those_that_do_not_disturb_each_other_are_taken_at_once() {
        const AT_ONCE: Work = Work { at_once: true, ..WORK };
        let mut batches = Vec::new();
        let sample = |_: &Work, samples: &[Sample]| {
            batches.push(samples.len());
            samples.iter().map(|_| took(1.0)).collect()
        };
        let measured = run(&selection(vec![contest(&AT_ONCE)]), limits(2), sample, |_| ());
        assert_eq!(batches, [3, 3]);
        assert_eq!(measured.rows().count(), 3);
    }

    fn took(value: f64) -> Outcome {
        Outcome::Measured(vec![Figure::new("p50", "ns", value)])
    }

    #[test]
    fn the_systems_take_turns_and_turns_to_be_first() {
        let (order, measured) = run_with(3, |_, number| took(number as f64));
        assert_eq!(order.concat(), "abcbaccab");
        let medians: Vec<_> = measured.rows().map(|row| row.median).collect();
        // a is sampled first, fifth and eighth.
        assert_eq!(medians, [5.0, 4.0, 6.0]);
    }

    #[test]
    fn one_that_fails_does_not_stop_the_rest() {
        let (order, measured) = run_with(3, |system, _| match system {
            "b" => Outcome::Failed("it fell".to_owned()),
            _ => took(1.0),
        });
        assert_eq!(order.len(), 9);
        let systems: Vec<_> =
            measured.rows().map(|row| (row.system.to_owned(), row.runs)).collect();
        assert_eq!(systems, [("a".to_owned(), 3), ("c".to_owned(), 3)]);
        let trouble = measured.0[0].entry("b").unwrap().trouble.clone();
        assert_eq!(trouble, Some(Trouble::Failed("it fell".to_owned())));
    }

    #[test]
    fn one_that_is_left_out_is_asked_once() {
        let (order, _) = run_with(3, |system, _| match system {
            "b" => Outcome::LeftOut("not here".to_owned()),
            _ => took(1.0),
        });
        assert_eq!(order.iter().filter(|system| *system == "b").count(), 1);
        assert_eq!(order.len(), 7);
    }

    /// Tells which work was sampled and how many are complete, in the order in which that happened.
    fn order_within(within: Option<Duration>) -> String {
        const OTHER: Work = Work { name: "other", systems: |_, _| vec!["a".to_owned()], ..WORK };
        const ANOTHER: Work = Work { name: "another", ..OTHER };
        let order = RefCell::new(String::new());
        let sample = |work: &Work, samples: &[Sample]| {
            order.borrow_mut().push_str(&format!("{} ", work.name));
            samples.iter().map(|_| took(1.0)).collect()
        };
        let done = |done: &Comparison| order.borrow_mut().push_str(&format!("({}) ", done.work));
        let selection = selection(vec![contest(&OTHER), contest(&ANOTHER)]);
        run(&selection, Limits { rounds: 2, within }, sample, done);
        order.into_inner()
    }

    #[test]
    fn without_a_limit_one_comparison_is_completed_after_the_other() {
        assert_eq!(order_within(None), "other other (other) another another (another) ");
    }

    #[test]
    fn within_a_limit_each_round_takes_everything() {
        let order = order_within(Some(Duration::MAX));
        assert_eq!(order, "other another other another (other) (another) ");
    }

    #[test]
    fn a_round_for_which_there_is_no_time_is_not_taken_unless_it_is_the_first() {
        assert_eq!(order_within(Some(Duration::ZERO)), "other another (other) (another) ");
        let seconds = Duration::from_secs;
        let limits = Limits { rounds: 9, within: Some(seconds(60)) };
        assert!(limits.allow(2, seconds(40)));
        assert!(!limits.allow(2, seconds(41)));
    }
}
