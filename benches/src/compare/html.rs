//! The run as a page that needs nothing but itself.

use super::machine;
use super::measured::{Comparison, Measured, Row};
use super::plot::{self, escape};
use super::ratios::Verdict;
use super::table::{self, number};
use crate::works;

const PAGE: &str = include_str!("page.css");

/// A section for each work: its plots, and a table below them.
pub(super) fn of(measured: &Measured, verdicts: &[Verdict<'_>]) -> String {
    let works = works::ALL.iter().filter_map(|work| {
        let of_work = measured.0.iter().filter(|comparison| comparison.work == work.name);
        let comparisons: Vec<_> = of_work.collect();
        (!comparisons.is_empty()).then(|| section(work.name, work.about, &comparisons))
    });
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>interloop, side by side</title>\n<style>\n{PAGE}{}</style>\n</head>\n<body>\n\
         <h1>interloop, side by side</h1>\n\
         <p>Every work on every system, interleaved in one run on {}. A bar is the median of the \
         rounds, a whisker goes from the lowest to the highest, and a ratio is the median of the \
         ratios of the rounds. The axes are logarithmic. Interloop is blue.</p>\n\
         {}{}<pre>{}</pre>\n</body>\n</html>\n",
        plot::STYLE,
        escape(&machine::describe()),
        ratios(verdicts),
        works.collect::<String>(),
        escape(table::troubles(measured).trim()),
    )
}

fn ratios(verdicts: &[Verdict<'_>]) -> String {
    let row = |verdict: &Verdict<'_>| {
        let class = if verdict.holds() { "held" } else { "short" };
        let answer = if verdict.holds() { "holds" } else { "falls short" };
        let text = escape(&verdict.to_string());
        format!("<tr class=\"{class}\"><td>{text}</td><td>{answer}</td></tr>\n")
    };
    let asked = verdicts.iter().filter(|verdict| verdict.is_asked());
    format!(
        "<details><summary>What the ratios must be</summary><div class=\"wide\"><table>\n{}\
         </table></div></details>\n",
        asked.map(row).collect::<String>()
    )
}

fn section(work: &str, about: &str, comparisons: &[&Comparison]) -> String {
    // What a system is measured by comes first, and is what most look for.
    let plots = comparisons.iter().map(|comparison| {
        let metrics = comparison.metrics();
        metrics.first().map_or_else(String::new, |(metric, _)| plot::inline(comparison, metric))
    });
    let further = comparisons.iter().flat_map(|comparison| {
        let metrics = comparison.metrics().into_iter().skip(1);
        metrics.map(|(metric, _)| plot::inline(comparison, metric))
    });
    let further = further.collect::<String>();
    let further = match further.is_empty() {
        true => further,
        false => {
            format!(
                "<details><summary>The other metrics</summary><div class=\"plots\">\n{further}\
                 </div></details>\n"
            )
        }
    };
    let rows = comparisons.iter().flat_map(|comparison| {
        comparison.rows().map(|row| line(&row, comparison)).collect::<Vec<_>>()
    });
    format!(
        "<h2>{work}</h2>\n<p>{}.</p>\n<div class=\"plots\">\n{}</div>\n{further}\
         <details><summary>The figures</summary><div class=\"wide\"><table>\n\
         <tr><th>case</th><th>system</th><th>metric</th><th class=\"figure\">median</th>\
         <th class=\"figure\">low</th><th class=\"figure\">high</th><th>unit</th>\
         <th class=\"figure\">runs</th><th class=\"figure\">ratio</th></tr>\n{}\
         </table></div></details>\n",
        escape(about),
        plots.collect::<String>(),
        rows.collect::<String>(),
    )
}

fn line(row: &Row<'_>, comparison: &Comparison) -> String {
    let Row { case, system, metric, unit, median, low, high, runs, .. } = row;
    let ratio = comparison.ratio(system, comparison.reference, metric);
    let ratio = ratio.map_or_else(|| "-".to_owned(), number);
    let words = |words: [&str; 3]| words.map(|word| format!("<td>{}</td>", escape(word))).concat();
    let figure = |text: &str| format!("<td class=\"figure\">{text}</td>");
    let figures = [median, low, high].map(|value| figure(&number(*value))).concat();
    format!(
        "<tr>{}{figures}<td>{}</td>{}{}</tr>\n",
        words([case, system, metric]),
        escape(unit),
        figure(&runs.to_string()),
        figure(&ratio),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::measured::tests::compared;

    #[test]
    fn a_page_has_plots_and_figures_and_asks_nobody_for_more() {
        let figures: [(&str, &[f64]); 2] = [("raw-epoll", &[1000.0]), ("glib", &[4000.0])];
        let page = of(&Measured(vec![compared("echo", "tcp", &figures)]), &[]);
        assert!(page.contains("<h2>echo</h2>"));
        assert_eq!(page.matches("<svg ").count(), 1);
        assert!(page.contains("<td>glib</td><td>p50</td><td class=\"figure\">4000</td>"), "{page}");
        let asks = page.replace("http://www.w3.org/2000/svg", "");
        assert!(!asks.contains("http") && !asks.contains("<script"));
    }
}
