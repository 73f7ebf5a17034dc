//! The window.

use eframe::egui::{CentralPanel, Context, Grid, Panel, RichText, Slider, Ui, Visuals};
use interloop::{Stats, Timer};

use crate::plots;
use crate::state::State;

pub struct Dashboard {
    state: State,
    /// Takes samples as long as there is a window.
    _samples: Timer,
}

impl Dashboard {
    pub fn new(context: &Context, state: State) -> Dashboard {
        context.set_visuals(Visuals::dark());
        Dashboard { _samples: state.watch(context), state }
    }
}

impl eframe::App for Dashboard {
    fn ui(&mut self, ui: &mut Ui, _: &mut eframe::Frame) {
        Panel::left("load").exact_size(250.0).show(ui, |ui| self.controls(ui));
        CentralPanel::default().show(ui, |ui| {
            plots::show(ui, &self.state.samples(), &self.state.stats());
        });
    }
}

impl Dashboard {
    fn controls(&self, ui: &mut Ui) {
        let traffic = self.state.traffic();
        let before = traffic.load();
        let mut load = before;
        ui.add_space(8.0);
        ui.heading("Load");
        ui.add(Slider::new(&mut load.clients, 0..=512).text("clients"));
        ui.add(Slider::new(&mut load.rate, 0..=1_000).text("messages/s"));
        ui.add(Slider::new(&mut load.size, 1..=16_384).logarithmic(true).text("bytes"));
        ui.add(Slider::new(&mut load.calls, 0..=200_000).logarithmic(true).text("calls/s"));
        if load != before {
            traffic.set(load);
        }
        ui.add_space(12.0);
        ui.heading("Reactor");
        let stats = self.state.stats();
        Grid::new("stats").num_columns(2).spacing([16.0, 3.0]).show(ui, |ui| {
            for (name, value) in numbers(&stats) {
                ui.label(name);
                ui.label(RichText::new(value).monospace());
                ui.end_row();
            }
        });
        ui.add_space(12.0);
        if ui.button("Stop the reactor").clicked() {
            self.state.stop();
        }
    }
}

fn numbers(stats: &Stats) -> [(&'static str, String); 12] {
    let wait = |percent| plots::time(stats.wake_to_turn.percentile(percent).as_secs_f64());
    [
        ("turns", stats.turns.to_string()),
        ("wakes asked for", stats.wakes_requested.to_string()),
        ("ticks", stats.wakes_issued.to_string()),
        ("coalesced", stats.wakes_coalesced.to_string()),
        ("failed posts", stats.wakes_failed.to_string()),
        ("left over by a budget", stats.wakes_leftover.to_string()),
        ("events", stats.events.to_string()),
        ("most in a turn", stats.events_per_turn_max.to_string()),
        ("calls", stats.calls.to_string()),
        ("polls of tasks", stats.polls.to_string()),
        ("wake to turn, half", wait(50.0)),
        ("99 %", wait(99.0)),
    ]
}
