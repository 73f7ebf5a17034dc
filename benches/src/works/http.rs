//! `http`: a server of hyper's on the host's thread, where the host has a timer of 60 Hz too.
//!
//! The same everywhere: the client and its load, the handler, hyper and its settings (HTTP/1.1, kept
//! alive, `TCP_NODELAY`, no timer), and the host's timer. The handler's answer comes from the host's
//! thread, as it would where it tells what a window shows; `tokio`, the reference, has no host and
//! no such timer.

mod client;
mod frames;
#[cfg_attr(not(feature = "glib"), path = "http/glib/absent.rs")]
mod glib;
mod hyper_side;
mod ours;
#[cfg_attr(not(feature = "qt"), path = "http/qt/absent.rs")]
mod qt;
mod tokio;

use std::io;

use crate::compare::{Effort, Figure, Sample, Work};
use crate::systems::unknown;
use client::{Client, Load, Outcome};
use frames::Frames;

pub(crate) const WORK: Work = Work {
    name: "http",
    about: "a hyper server on the host's thread: requests/s, p99, and the worst gap of its 60 Hz timer",
    reference: "tokio",
    cases,
    systems,
    at_once: false,
    sample,
};

fn cases(effort: Effort) -> Vec<String> {
    let connections: &[usize] = match effort {
        Effort::Quick => &[8],
        Effort::Full => &[8, 64],
    };
    connections.iter().map(|count| format!("{count}-connections")).collect()
}

/// Serves the load on this thread until the client has had enough.
type Measure = fn(Load) -> io::Result<Vec<Figure>>;

const SYSTEMS: &[(&str, Measure)] = &[
    ("tokio", tokio::alone),
    ("interloop/epoll/run/own", ours::run),
    ("interloop/epoll/worker/condvar", ours::condvar),
    ("interloop/epoll/worker/glib", glib::worker),
    ("interloop/epoll/embed/glib", glib::embedded),
    ("interloop/epoll/worker/qt", qt::worker),
    ("interloop/epoll/embed/qt", qt::embedded),
    ("tokio-channels/glib", glib::tokio_channels),
    ("tokio-local/glib", glib::tokio_local),
    ("async-io/glib", glib::async_io),
];

/// A quick run does without those in Qt: it has those in GLib.
fn systems(_case: &str, effort: Effort) -> Vec<String> {
    let names = SYSTEMS.iter().map(|(name, _)| *name);
    let names = names.filter(|name| effort == Effort::Full || !name.ends_with("/qt"));
    names.map(str::to_owned).collect()
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let measure = SYSTEMS.iter().find(|(name, _)| *name == sample.system);
    let (_, measure) = measure.ok_or_else(|| unknown(&sample.system))?;
    measure(load(sample)?)
}

fn load(sample: &Sample) -> io::Result<Load> {
    let connections = sample.case.strip_suffix("-connections").and_then(|count| count.parse().ok());
    let connections = connections.ok_or_else(|| unknown(&sample.case))?;
    // As long as some frames of the host take.
    let measured = sample.effort.sample_time() * 2;
    Ok(Load { connections, warm_up: measured / 5, measured })
}

/// What a system answers: the client's figures, and those of the host's timer where there is a host.
fn figures(outcome: &Outcome, frames: Option<&Frames>) -> Vec<Figure> {
    let mut figures = vec![
        Figure::new("requests", "1/s", outcome.requests_per_second()),
        Figure::new("p50", "ns", outcome.quantile(0.5)),
        Figure::new("p99", "ns", outcome.quantile(0.99)),
    ];
    let worst_gap = |frames: &Frames| frames.worst_gap().as_nanos() as f64;
    figures.extend(frames.map(|frames| Figure::new("worst_gap", "ns", worst_gap(frames))));
    figures
}
