//! What happened, as a table or as JSON.

use std::io::{self, Write};
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

    /// How long the host took from the wake to the turn, in microseconds. The turn that the host
    /// may have been in counts too.
    fn wake_to_turn(&self, percent: f64) -> f64 {
        self.stats.wake_to_turn.percentile(percent).as_secs_f64() * 1e6
    }
}

/// Prints the outcomes to standard output, and what went wrong to standard error.
pub fn print(outcomes: &[Outcome], json: bool) -> io::Result<()> {
    let output = &mut io::stdout().lock();
    if json {
        print_json(output, outcomes)?
    } else {
        print_table(output, outcomes)?
    }
    for outcome in outcomes {
        let backend = outcome.backend;
        if outcome.missing() > 0 {
            eprintln!("tour: {backend}: {} messages are missing", outcome.missing());
        }
        outcome.troubles.iter().for_each(|trouble| eprintln!("tour: {backend}: {trouble}"));
    }
    output.flush()
}

const HEADER: &str = "\
backend    messages     wakes  messages   wake to turn        timers  calls     time
                               per wake      p50      p99";

fn print_table(output: &mut impl Write, outcomes: &[Outcome]) -> io::Result<()> {
    writeln!(output, "{HEADER}")?;
    for outcome in outcomes {
        let Outcome { backend, echoed, beats, stats, time, .. } = outcome;
        let (wakes, calls) = (stats.wakes_issued, stats.calls);
        let (each, seconds) = (outcome.messages_per_wake(), time.as_secs_f64());
        let (p50, p99) = (outcome.wake_to_turn(50.0), outcome.wake_to_turn(99.0));
        writeln!(
            output,
            "{backend:<9} {echoed:>9} {wakes:>9} {each:>9.1} {p50:>5.0} us {p99:>5.0} us  \
             {beats:>6} {calls:>6} {seconds:>6.2} s"
        )?;
    }
    if outcomes.iter().all(Outcome::is_complete) {
        writeln!(output, "Every message came back, and the shutdown abandoned nothing.")?;
    }
    Ok(())
}

fn print_json(output: &mut impl Write, outcomes: &[Outcome]) -> io::Result<()> {
    let objects: Vec<String> = outcomes.iter().map(object).collect();
    writeln!(output, "[\n  {}\n]", objects.join(",\n  "))
}

fn object(outcome: &Outcome) -> String {
    let fields = [
        ("backend", format!("\"{}\"", outcome.backend)),
        ("messages", outcome.messages.to_string()),
        ("missing", outcome.missing().to_string()),
        ("wakes", outcome.stats.wakes_issued.to_string()),
        ("messages_per_wake", format!("{:.3}", outcome.messages_per_wake())),
        ("wake_to_turn_p50_us", format!("{:.3}", outcome.wake_to_turn(50.0))),
        ("wake_to_turn_p99_us", format!("{:.3}", outcome.wake_to_turn(99.0))),
        ("timers", outcome.beats.to_string()),
        ("calls", outcome.stats.calls.to_string()),
        ("troubles", outcome.troubles.len().to_string()),
        ("seconds", format!("{:.6}", outcome.time.as_secs_f64())),
    ];
    let fields = fields.map(|(name, value)| format!("\"{name}\": {value}"));
    format!("{{{}}}", fields.join(", "))
}
