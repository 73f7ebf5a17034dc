//! A metric of a comparison as an SVG: a bar for each system on a logarithmic axis, with a whisker from
//! the lowest round to the highest.

use std::fmt::Write;

use super::axis::Axis;
use super::measured::{Comparison, Row};
use super::table::number;

/// Narrow enough for a phone: names stand above their bars, and not beside.
const WIDTH: f64 = 480.0;
const MARGIN: f64 = 12.0;
/// What one system takes, and what is in that: a line of text, and the bar.
const ROW: f64 = 30.0;
const BAR: f64 = 9.0;
/// What stands above the first system: the title, and the numbers of the axis.
const HEAD: f64 = 56.0;

/// The colours, and those for the dark.
pub(super) const STYLE: &str = include_str!("plot.css");

/// An SVG in a page that has the style.
pub(super) fn inline(comparison: &Comparison, metric: &str) -> String {
    draw(comparison, metric, "")
}

/// An SVG that stands alone.
pub(super) fn alone(comparison: &Comparison, metric: &str) -> String {
    draw(comparison, metric, &format!("<style>{STYLE}</style>"))
}

fn draw(comparison: &Comparison, metric: &str, style: &str) -> String {
    let mut rows: Vec<_> = comparison.rows().filter(|row| row.metric == metric).collect();
    rows.sort_by(|one, other| one.median.total_cmp(&other.median));
    let axis = Axis::holding(rows.iter().flat_map(|row| [row.low, row.high]));
    let unit = rows.first().map_or("", |row| row.unit);
    let title = escape(&format!("{} {}: {metric}", comparison.work, comparison.case));
    let height = HEAD + ROW * rows.len() as f64 + MARGIN / 2.0;
    let bars = rows.iter().enumerate().map(|(index, row)| {
        let top = HEAD + ROW * index as f64;
        bar(row, comparison, &axis, top)
    });
    format!(
        "<svg class=\"plot\" xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" \
         role=\"img\" aria-label=\"{title}\">{style}\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\
         <text class=\"title\" x=\"{MARGIN}\" y=\"22\">{title}</text>\n{}{}</svg>\n",
        grid(&axis, unit, height),
        bars.collect::<String>(),
    )
}

fn grid(axis: &Axis, unit: &str, height: f64) -> String {
    let mut text = String::new();
    for tick in axis.ticks() {
        let (x, bottom, label) = (x(axis, tick), height - MARGIN / 2.0, quantity(tick, unit));
        let written = writeln!(
            text,
            "<path class=\"grid\" d=\"M{x:.1} {HEAD}V{bottom}\"/>\
             <text class=\"tick\" x=\"{x:.1}\" y=\"{}\">{label}</text>",
            HEAD - 8.0
        );
        written.expect("a string takes all");
    }
    text
}

fn bar(row: &Row<'_>, comparison: &Comparison, axis: &Axis, top: f64) -> String {
    let kind = match row.system {
        system if system.starts_with("interloop") => "ours",
        system if system == comparison.reference => "reference",
        _ => "theirs",
    };
    let ratio = comparison.ratio(row.system, comparison.reference, row.metric);
    let ratio = ratio.map_or_else(String::new, |ratio| format!(", {} x", number(ratio)));
    let value = quantity(row.median, row.unit);
    let (low, high, end) = (x(axis, row.low), x(axis, row.high), x(axis, row.median));
    let (text, bar) = (top + 14.0, top + 18.0);
    let middle = bar + BAR / 2.0;
    format!(
        "<g class=\"{kind}\"><text class=\"name\" x=\"{MARGIN}\" y=\"{text}\">{}</text>\
         <text class=\"value\" x=\"{}\" y=\"{text}\">{value}{ratio}</text>\
         <rect class=\"bar\" x=\"{MARGIN}\" y=\"{bar}\" width=\"{:.1}\" height=\"{BAR}\" rx=\"2\"/>\
         <path class=\"whisker\" d=\"M{low:.1} {middle}H{high:.1}M{low:.1} {bar}v{BAR}M{high:.1} {bar}v{BAR}\"/>\
         </g>\n",
        escape(row.system),
        WIDTH - MARGIN,
        end - MARGIN,
    )
}

fn x(axis: &Axis, value: f64) -> f64 {
    MARGIN + axis.place(value) * (WIDTH - 4.0 * MARGIN)
}

/// A number with its unit, of times the fitting one.
fn quantity(value: f64, unit: &str) -> String {
    let (value, unit) = match (unit, value) {
        ("ns", 1e9..) => (value / 1e9, "s"),
        ("ns", 1e6..) => (value / 1e6, "ms"),
        ("ns", 1e3..) => (value / 1e3, "us"),
        _ => (value, unit),
    };
    let number = number(value);
    let number = if number.contains('.') { number.trim_end_matches('0') } else { &number };
    escape(&format!("{} {unit}", number.trim_end_matches('.')))
}

/// A text as markup has it.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::measured::tests::compared;

    #[test]
    fn a_plot_has_a_bar_for_each_system_the_least_first() {
        let figures: [(&str, &[f64]); 3] =
            [("raw-epoll", &[1000.0]), ("glib", &[4000.0]), ("interloop/epoll/run/own", &[2000.0])];
        let svg = alone(&compared("echo", "tcp", &figures), "p50");
        let places = ["reference", "ours", "theirs"].map(|kind| {
            svg.find(&format!("<g class=\"{kind}\">")).unwrap_or_else(|| panic!("{kind}: {svg}"))
        });
        assert!(places.is_sorted(), "{places:?}");
        assert!(svg.contains(">2 us, 2.00 x<"), "{svg}");
        assert!(svg.contains("<style>"));
        assert!(!inline(&compared("echo", "tcp", &figures), "p50").contains("<style>"));
    }

    #[test]
    fn a_quantity_has_the_fitting_unit() {
        let quantities = [0.0, 950.0, 1500.0, 2e6, 3.25e9].map(|value| quantity(value, "ns"));
        assert_eq!(quantities, ["0 ns", "950 ns", "1.5 us", "2 ms", "3.25 s"]);
        assert_eq!(quantity(1200.0, "wakes"), "1200 wakes");
    }

    #[test]
    fn names_are_no_markup() {
        assert_eq!(escape("a<b> & \"c\""), "a&lt;b&gt; &amp; &quot;c&quot;");
    }
}
