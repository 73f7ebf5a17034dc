//! The plots.

use std::collections::VecDeque;
use std::time::Duration;

use eframe::egui::{Color32, RichText, Ui, Vec2b};
use egui_plot::{Corner, Legend, Line, Plot, uniform_grid_spacer};
use interloop::Stats;
use interloop_demos::traffic::Sample;

const BLUE: Color32 = Color32::from_rgb(90, 160, 250);
const GREEN: Color32 = Color32::from_rgb(90, 210, 150);
const ORANGE: Color32 = Color32::from_rgb(250, 160, 80);
/// The shortest time that is told from none, where times are shown by their magnitude.
const SHORTEST: f64 = 1e-6;

/// A plot of the last minute.
struct Minute {
    title: &'static str,
    up: Up,
    curves: &'static [Curve],
}

/// A line of a plot: what it is called, its colour, and how high it is at a sample.
type Curve = (&'static str, Color32, fn(&Sample) -> f64);

/// What is shown upwards.
#[derive(Clone, Copy, PartialEq)]
enum Up {
    Count,
    /// Seconds, each step ten times as long as the one before.
    Time,
}

const MINUTES: [Minute; 4] = [
    Minute {
        title: "messages a second",
        up: Up::Count,
        curves: &[
            ("events", BLUE, |sample| sample.events),
            ("there and back", GREEN, |sample| sample.messages),
        ],
    },
    Minute {
        title: "wakes a second",
        up: Up::Count,
        curves: &[
            ("asked for", ORANGE, |sample| sample.wakes[0]),
            ("coalesced", BLUE, |sample| sample.wakes[2]),
            ("ticks", GREEN, |sample| sample.wakes[1]),
        ],
    },
    Minute {
        title: "turns a second",
        up: Up::Count,
        curves: &[
            ("returns of the worker", BLUE, |sample| sample.returns),
            ("turns", GREEN, |sample| sample.turns),
        ],
    },
    Minute {
        title: "round trip of a message",
        up: Up::Time,
        curves: &[
            ("99 in 100", ORANGE, |sample| sample.slowest.as_secs_f64()),
            ("half", GREEN, |sample| sample.median.as_secs_f64()),
        ],
    },
];

/// Shows all of them in what room there is.
pub fn show(ui: &mut Ui, samples: &VecDeque<Sample>, stats: &Stats) {
    let height = (ui.available_height() - 3.0 * 30.0) / 3.0;
    for pair in MINUTES.chunks(2) {
        ui.columns(2, |columns| {
            for (ui, minute) in columns.iter_mut().zip(pair) {
                minute.show(ui, height, samples);
            }
        });
    }
    latency(ui, height, stats);
}

impl Minute {
    fn show(&self, ui: &mut Ui, height: f32, samples: &VecDeque<Sample>) {
        ui.label(RichText::new(self.title).strong());
        let end = samples.back().map_or(0.0, |sample| sample.at.as_secs_f64());
        let plot = plot(self.title, height, self.up).include_x(-60.0).include_x(0.0);
        let plot = plot
            .x_grid_spacer(uniform_grid_spacer(|_| [10.0, 20.0, 60.0]))
            .x_axis_formatter(|mark, _| format!("{} s", mark.value));
        plot.show(ui, |plot| {
            for (name, color, value) in self.curves {
                let point = |sample: &Sample| {
                    [sample.at.as_secs_f64() - end, self.up.height(value(sample))]
                };
                let points: Vec<[f64; 2]> = samples.iter().map(point).collect();
                plot.line(Line::new(*name, points).color(*color).width(1.6));
            }
        });
    }
}

/// How long the host thread took to come to a turn, from the beginning on.
fn latency(ui: &mut Ui, height: f32, stats: &Stats) {
    let title = "from the wake to the turn: what so many in 100 did not exceed";
    ui.label(RichText::new(title).strong());
    let point = |percent| {
        let time: Duration = stats.wake_to_turn.percentile(percent);
        [percent, Up::Time.height(time.as_secs_f64())]
    };
    let points: Vec<[f64; 2]> = (2..=199).map(|half| point(f64::from(half) / 2.0)).collect();
    plot(title, height, Up::Time).include_x(0.0).include_x(100.0).show(ui, |plot| {
        plot.line(Line::new("wake to turn", points).color(GREEN).width(1.6));
    });
}

fn plot<'a>(id: &str, height: f32, up: Up) -> Plot<'a> {
    let fixed = Vec2b::FALSE;
    let legend = Legend::default().position(Corner::LeftTop);
    let plot = Plot::new(id).height(height).include_y(up.lowest()).legend(legend);
    let plot = plot.allow_drag(fixed).allow_zoom(fixed).allow_scroll(fixed).allow_boxed_zoom(false);
    match up {
        Up::Count => plot,
        Up::Time => plot
            .y_grid_spacer(uniform_grid_spacer(|_| [1.0, 1.0, 1.0]))
            .y_axis_formatter(|mark, _| time(10_f64.powf(mark.value))),
    }
}

impl Up {
    fn height(self, value: f64) -> f64 {
        match self {
            Up::Count => value,
            Up::Time => value.max(SHORTEST).log10(),
        }
    }

    fn lowest(self) -> f64 {
        match self {
            Up::Count => 0.0,
            Up::Time => SHORTEST.log10(),
        }
    }
}

/// Seconds in the unit that suits them.
pub fn time(seconds: f64) -> String {
    match seconds {
        ..1e-3 => format!("{:.0} us", seconds * 1e6),
        ..1.0 => format!("{:.0} ms", seconds * 1e3),
        _ => format!("{seconds:.0} s"),
    }
}
