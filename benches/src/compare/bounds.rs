//! What this project promises of itself against the others: the ratios that `--check` holds a run to.

/// A ratio that must hold in one run.
pub(super) struct Bound {
    pub(super) about: &'static str,
    pub(super) work: &'static str,
    pub(super) cases: Cases,
    pub(super) metric: &'static str,
    /// A name with stars in it is all systems that it matches and that are to be had.
    pub(super) ours: &'static str,
    /// None where the figure itself is bounded.
    pub(super) against: Option<&'static str>,
    pub(super) limit: Limit,
}

/// Where it must hold.
#[derive(Clone, Copy)]
pub(super) enum Cases {
    /// In every case that is measured.
    Every,
    /// In every case that is measured and whose name begins so.
    With(&'static str),
    /// In this one.
    One(&'static str),
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

use Cases::{Every, One, With};
use Limit::{AtLeast, AtMost};

const WORKER: &str = "interloop/epoll/worker/condvar";
const WORKER_IN_GLIB: &str = "interloop/epoll/worker/glib";
const EMBEDDED_IN_GLIB: &str = "interloop/epoll/embed/glib";
const RUN: &str = "interloop/epoll/run/own";

/// A ratio between two systems.
const fn ratio(
    about: &'static str,
    (work, cases, metric): (&'static str, Cases, &'static str),
    ours: &'static str,
    against: &'static str,
    limit: Limit,
) -> Bound {
    Bound { about, work, cases, metric, ours, against: Some(against), limit }
}

/// A bound of the figure itself.
const fn figure(
    about: &'static str,
    (work, cases, metric): (&'static str, Cases, &'static str),
    ours: &'static str,
    limit: Limit,
) -> Bound {
    Bound { about, work, cases, metric, ours, against: None, limit }
}

const ECHO: (&str, Cases, &str) = ("echo", Every, "p50");
const IDLE_1000: (&str, Cases, &str) = ("idle", One("1000"), "p50");
const IDLE_10000: (&str, Cases, &str) = ("idle", One("10000"), "p50");
const CALLS_4: (&str, Cases, &str) = ("calls", One("4-threads"), "per_call");

pub(super) const ALL: &[Bound] = &[
    ratio("echo in GLib", ECHO, EMBEDDED_IN_GLIB, "glib", AtMost(1.05)),
    ratio("echo in GLib", ECHO, WORKER_IN_GLIB, "glib", AtMost(1.35)),
    ratio("echo in GLib", ECHO, WORKER_IN_GLIB, "async-io/glib", AtMost(0.8)),
    ratio("echo in GLib", ECHO, WORKER_IN_GLIB, "tokio-channels/glib", AtMost(0.45)),
    ratio("echo, no toolkit", ECHO, RUN, "raw-epoll", AtMost(1.10)),
    ratio("echo, condvar host", ECHO, WORKER, "raw-epoll", AtMost(1.8)),
    ratio("idle in GLib", IDLE_1000, EMBEDDED_IN_GLIB, "glib", AtMost(0.06)),
    ratio("idle in GLib", IDLE_1000, WORKER_IN_GLIB, "glib", AtMost(0.06)),
    ratio("idle in GLib", IDLE_10000, EMBEDDED_IN_GLIB, "glib", AtMost(0.01)),
    ratio("idle in GLib", IDLE_10000, WORKER_IN_GLIB, "glib", AtMost(0.01)),
    ratio(
        "fan, edge-triggered streams",
        ("fan", One("streams/1000"), "per_callback"),
        WORKER,
        "raw-epoll",
        AtMost(1.25),
    ),
    ratio(
        "fan, callbacks that re-arm",
        ("fan", One("callbacks/1000"), "per_callback"),
        WORKER,
        "raw-epoll",
        AtMost(1.25),
    ),
    figure("fan, wakes of a batch", ("fan", Every, "wakes_per_batch"), WORKER, AtMost(1.0)),
    ratio("calls in GLib", CALLS_4, WORKER_IN_GLIB, "invoke/glib", AtMost(0.12)),
    ratio("calls, condvar host", CALLS_4, WORKER, "tokio", AtMost(0.8)),
    ratio(
        "timers, set and cancelled",
        ("timers", With("insert-cancel/sleeps/"), "per_timer"),
        RUN,
        "tokio",
        AtMost(0.8),
    ),
    ratio(
        "timers, fired",
        ("timers", With("fire/sleeps/"), "per_timer"),
        RUN,
        "tokio",
        AtMost(0.8),
    ),
    ratio(
        "timers, set and cancelled",
        ("timers", One("insert-cancel/callbacks/1000"), "per_timer"),
        RUN,
        "calloop",
        AtMost(0.5),
    ),
    ratio(
        "timers, fired",
        ("timers", One("fire/callbacks/1000"), "per_timer"),
        RUN,
        "calloop",
        AtMost(0.5),
    ),
    ratio(
        "tasks, spawned",
        ("tasks", With("spawn/"), "per_task"),
        RUN,
        "async-executor",
        AtMost(0.9),
    ),
    ratio("tasks, spawned", ("tasks", With("spawn/"), "per_task"), RUN, "tokio", AtMost(0.7)),
    ratio(
        "tasks that yield",
        ("tasks", With("yield/"), "per_task"),
        RUN,
        "async-executor",
        AtMost(0.9),
    ),
    ratio("tasks that yield", ("tasks", With("yield/"), "per_task"), RUN, "tokio", AtMost(0.7)),
    ratio("tasks, woken", ("tasks", With("wake/"), "per_task"), RUN, "async-executor", AtMost(0.9)),
    ratio("tasks, woken", ("tasks", With("wake/"), "per_task"), RUN, "tokio", AtMost(0.7)),
    ratio("http", ("http", Every, "requests"), WORKER_IN_GLIB, "tokio", AtLeast(0.85)),
    ratio("memory of a source", ("memory", One("source"), "bytes"), RUN, "tokio", AtMost(0.5)),
    ratio("memory of a stream", ("memory", One("stream"), "bytes"), RUN, "tokio", AtMost(0.5)),
    figure("wakes in idle seconds", ("idle-cpu", Every, "wakes"), "interloop/*", AtMost(0.0)),
];
