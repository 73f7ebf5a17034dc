//! The interleaved rounds.

use std::io::{IsTerminal, Write, stderr};

use super::child::Outcome;
use super::measured::{Comparison, Entry, Measured};
use super::selection::{Contest, Selection};
use super::work::{Effort, Sample, Work};

/// Takes every sample of the selection. `sample` takes those that it is given at once, which mostly is one.
/// `done` gets each comparison as soon as it is complete.
pub(super) fn run(
    selection: &Selection,
    rounds: usize,
    mut sample: impl FnMut(&Work, &[Sample]) -> Vec<Outcome>,
    mut done: impl FnMut(&Comparison),
) -> Measured {
    let comparisons = selection.contests.iter().map(|contest| {
        let comparison = compare(contest, selection.effort, rounds, &mut sample);
        done(&comparison);
        comparison
    });
    Measured(comparisons.collect())
}

/// One sample of each system, and then again: what the machine does beside it befalls all alike. Each
/// round begins with another system, so that none is always the first, or the one after a certain other.
fn compare(
    contest: &Contest,
    effort: Effort,
    rounds: usize,
    sample: &mut impl FnMut(&Work, &[Sample]) -> Vec<Outcome>,
) -> Comparison {
    let Contest { work, case, systems } = contest;
    let mut entries: Vec<_> = systems.iter().map(|system| Entry::new(system)).collect();
    for round in 0..rounds {
        let first = round * entries.len() / rounds;
        let (head, tail) = entries.split_at_mut(first);
        // What is not to be had is not asked for again.
        let entries = tail.iter_mut().chain(head).filter(|entry| !entry.is_left_out());
        let mut entries: Vec<_> = entries.collect();
        let together = if work.at_once { entries.len().max(1) } else { 1 };
        for entries in entries.chunks_mut(together) {
            let systems = entries.iter().map(|entry| entry.system.clone());
            let samples: Vec<_> =
                systems.map(|system| Sample { case: case.clone(), system, effort }).collect();
            let system = if work.at_once { "all systems" } else { &samples[0].system };
            progress(&format!("{} {case} {}/{rounds} {system}", work.name, round + 1));
            let outcomes = sample(work, &samples);
            entries.iter_mut().zip(outcomes).for_each(|(entry, outcome)| entry.add(outcome));
        }
    }
    progress("");
    Comparison { work: work.name, case: case.clone(), reference: work.reference, entries }
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
    use super::*;
    use crate::compare::measured::Trouble;
    use crate::compare::work::Figure;

    const WORK: Work = Work {
        name: "nothing",
        about: "does nothing",
        reference: "a",
        cases: |_| vec!["only".to_owned()],
        systems: |_| ["a", "b", "c"].map(str::to_owned).to_vec(),
        at_once: false,
        sample: |_| unreachable!("the tests take their own samples"),
    };

    fn run_with(
        rounds: usize,
        mut outcome: impl FnMut(&str, usize) -> Outcome,
    ) -> (Vec<String>, Measured) {
        let systems = (WORK.systems)("only");
        let contests = vec![Contest { work: &WORK, case: "only".to_owned(), systems }];
        let selection = Selection { effort: Effort::Quick, contests, is_partial: false };
        let mut order = Vec::new();
        let sample = |_: &Work, samples: &[Sample]| {
            let each = samples.iter().map(|sample| {
                order.push(sample.system.clone());
                outcome(&sample.system, order.len())
            });
            each.collect()
        };
        let measured = run(&selection, rounds, sample, |_| ());
        (order, measured)
    }

    #[test]
    fn those_that_do_not_disturb_each_other_are_taken_at_once() {
        const AT_ONCE: Work = Work { at_once: true, ..WORK };
        let systems = (WORK.systems)("only");
        let contests = vec![Contest { work: &AT_ONCE, case: "only".to_owned(), systems }];
        let selection = Selection { effort: Effort::Quick, contests, is_partial: false };
        let mut batches = Vec::new();
        let sample = |_: &Work, samples: &[Sample]| {
            batches.push(samples.len());
            samples.iter().map(|_| took(1.0)).collect()
        };
        let measured = run(&selection, 2, sample, |_| ());
        assert_eq!(batches, [3, 3]);
        assert_eq!(measured.rows().count(), 3);
    }

    fn took(value: f64) -> Outcome {
        Outcome::Measured(vec![Figure::new("p50", "ns", value)])
    }

    #[test]
    fn the_systems_take_turns_and_turns_to_be_first() {
        let (order, measured) = run_with(3, |_, number| took(number as f64));
        assert_eq!(order.concat(), "abcbcacab");
        let medians: Vec<_> = measured.rows().map(|row| row.median).collect();
        // a is sampled first, sixth and eighth.
        assert_eq!(medians, [6.0, 4.0, 5.0]);
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
}
