//! What happened, as a table or as JSON.

use std::time::Duration;

use interloop::{BackendKind, Stats};

pub struct Outcome {
    pub backend: BackendKind,
    pub messages: u64,
    pub echoed: u64,
    pub beats: u64,
    pub stats: Stats,
    /// From the making of the reactor to the end of its shutdown.
    pub time: Duration,
    /// What went wrong.
    pub troubles: Vec<String>,
}

impl Outcome {
    /// True when every message came back, and nothing went wrong.
    pub fn is_complete(&self) -> bool {
        self.missing() == 0 && self.troubles.is_empty()
    }

    fn missing(&self) -> u64 {
        self.messages - self.echoed
    }

    fn messages_per_wake(&self) -> f64 {
        self.echoed as f64 / self.stats.wakes_issued.max(1) as f64
    }
}

/// Prints the outcomes to standard output, and what went wrong to standard error.
pub fn print(outcomes: &[Outcome], json: bool) {
    if json {
        let lines: Vec<String> = outcomes.iter().map(in_json).collect();
        println!("[\n  {}\n]", lines.join(",\n  "));
    } else {
        println!("{HEADER}");
        outcomes.iter().for_each(|outcome| println!("{}", in_row(outcome)));
    }
    for outcome in outcomes {
        let backend = outcome.backend;
        if outcome.missing() > 0 {
            eprintln!("tour: {backend}: {} messages are missing", outcome.missing());
        }
        outcome.troubles.iter().for_each(|trouble| eprintln!("tour: {backend}: {trouble}"));
    }
}

const HEADER: &str = "\
backend    messages     wakes  messages   wake to turn        timers  calls     time
                               per wake      p50      p99";

fn in_row(outcome: &Outcome) -> String {
    let Outcome { backend, echoed, stats, .. } = outcome;
    let latency = |percent| micros(stats.wake_to_turn.percentile(percent));
    format!(
        "{backend:<9} {echoed:>9} {:>9} {:>9.1} {:>5.0} us {:>5.0} us  {:>6} {:>6} {:>6.2} s",
        stats.wakes_issued,
        outcome.messages_per_wake(),
        latency(50.0),
        latency(99.0),
        outcome.beats,
        stats.calls,
        outcome.time.as_secs_f64(),
    )
}

fn in_json(outcome: &Outcome) -> String {
    let Outcome { backend, messages, beats, stats, .. } = outcome;
    let latency = |percent| micros(stats.wake_to_turn.percentile(percent));
    format!(
        r#"{{"backend": "{backend}", "messages": {messages}, "missing": {}, "wakes": {}, "messages_per_wake": {:.3}, "wake_to_turn_p50_us": {:.3}, "wake_to_turn_p99_us": {:.3}, "timers": {beats}, "calls": {}, "troubles": {}, "seconds": {:.6}}}"#,
        outcome.missing(),
        stats.wakes_issued,
        outcome.messages_per_wake(),
        latency(50.0),
        latency(99.0),
        stats.calls,
        outcome.troubles.len(),
        outcome.time.as_secs_f64(),
    )
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
