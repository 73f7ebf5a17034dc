//! The figures as a table for a terminal.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::measured::{Comparison, Entry, Measured, Row};

/// One comparison: a line for each system that has figures.
pub(super) fn of(comparison: &Comparison) -> String {
    let Comparison { work, case, reference, entries } = comparison;
    let heading = format!("\n{work} {case}: median (low .. high), ratio to {reference}\n");
    let metrics = comparison.metrics();
    let titles = metrics.iter().map(|(metric, unit)| format!("{metric}, {unit}"));
    let mut lines = vec![[String::new()].into_iter().chain(titles).collect::<Vec<_>>()];
    for entry in entries {
        let rows: Vec<_> = comparison.rows().filter(|row| row.system == entry.system).collect();
        if rows.is_empty() {
            continue;
        }
        let cell = |(metric, _): &(&str, &str)| {
            let row = rows.iter().find(|row| row.metric == *metric);
            row.map_or_else(String::new, |row| cell(row, comparison))
        };
        lines.push([entry.system.clone()].into_iter().chain(metrics.iter().map(cell)).collect());
    }
    heading + &align(&lines)
}

fn cell(row: &Row<'_>, comparison: &Comparison) -> String {
    let ratio = comparison.ratio(row.system, comparison.reference, row.metric);
    let ratio = ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{} x", number(ratio)));
    format!("{} ({} .. {}) {ratio:>8}", number(row.median), number(row.low), number(row.high))
}

/// Columns side by side, the first flushed left and the others right.
fn align(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        lines.iter().filter_map(|line| line.get(column)).map(String::len).max().unwrap_or_default()
    };
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for line in lines {
        text += "  ";
        for (column, (cell, &width)) in line.iter().zip(&widths).enumerate() {
            let written = match column {
                0 => write!(text, "{cell:<width$}"),
                _ => write!(text, "  {cell:>width$}"),
            };
            written.expect("a string takes all");
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
    }
    text
}

/// Three digits that mean something, at least.
pub(super) fn number(value: f64) -> String {
    match value.abs() {
        100.0.. => format!("{value:.0}"),
        10.0..100.0 => format!("{value:.1}"),
        0.1..10.0 => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.4}"),
    }
}

/// Where one reason has left figures out.
#[derive(Default)]
struct Without<'a> {
    cases: BTreeSet<&'a str>,
    systems: BTreeSet<&'a str>,
}

/// The systems that have no figures, or not all, each reason once: with the cases, where it is not all of a
/// work.
pub(super) fn troubles(measured: &Measured) -> String {
    let mut reasons: BTreeMap<(&str, Cow<'_, str>), Without<'_>> = BTreeMap::new();
    for Comparison { work, case, entries, .. } in &measured.0 {
        for Entry { system, trouble, .. } in entries {
            if let Some(trouble) = trouble {
                let without = reasons.entry((work, trouble.text())).or_default();
                without.cases.insert(case);
                without.systems.insert(system);
            }
        }
    }
    let mut text = String::new();
    for ((work, reason), Without { cases, systems }) in reasons {
        let of_work = measured.0.iter().filter(|comparison| comparison.work == work);
        let cases = if cases.len() < of_work.count() { in_brackets(&cases) } else { String::new() };
        let systems = join(&systems);
        text += &format!("  {work}{cases}, {reason}: {systems}\n");
    }
    if text.is_empty() { text } else { format!("\nWithout figures:\n{text}") }
}

fn in_brackets(names: &BTreeSet<&str>) -> String {
    format!(" ({})", join(names))
}

fn join(names: &BTreeSet<&str>) -> String {
    names.iter().copied().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::child::Outcome;
    use crate::compare::measured::tests::compared;

    #[test]
    fn a_line_has_the_figures_and_the_ratio() {
        let figures: [(&str, &[f64]); 2] =
            [("raw-epoll", &[1000.0, 1200.0, 1100.0]), ("glib", &[2000.0, 2400.0, 2200.0])];
        let text = of(&compared("echo", "tcp", &figures));
        assert!(
            text.starts_with("\necho tcp: median (low .. high), ratio to raw-epoll\n"),
            "{text}"
        );
        assert!(text.contains("\n  raw-epoll  1100 (1000 .. 1200)   1.00 x\n"), "{text}");
        assert!(text.contains("\n  glib       2200 (2000 .. 2400)   2.00 x\n"), "{text}");
    }

    #[test]
    fn systems_without_figures_are_named_with_their_reason_and_it_once() {
        let mut measured =
            Measured(vec![compared("echo", "tcp", &[]), compared("echo", "udp", &[])]);
        let mut leave_out = |comparison: usize, system: &str, why: &str| {
            let mut entry = Entry::new(system);
            entry.add(Outcome::LeftOut(why.to_owned()));
            measured.0[comparison].entries.push(entry);
        };
        for comparison in [0, 1] {
            leave_out(comparison, "qt", "there is no display");
            leave_out(comparison, "sdl", "there is no display");
        }
        leave_out(1, "glib", "too many");
        let text = troubles(&measured);
        let lines = "  echo, left out: there is no display: qt, sdl\n  echo (udp), left out: too many: glib\n";
        assert_eq!(text, format!("\nWithout figures:\n{lines}"));
    }

    #[test]
    fn small_numbers_keep_their_digits() {
        let numbers = [0.0, 0.00123, 0.123, 1.234, 12.34, 1234.5].map(number);
        assert_eq!(numbers, ["0", "0.0012", "0.12", "1.23", "12.3", "1234"]);
    }
}
