//! What this project promises of itself against the others: the ratios that `--check` holds a run to.

/// A ratio that must hold in one run.
pub(super) struct Bound {
    pub(super) about: &'static str,
    pub(super) work: &'static str,
    /// Where it must hold. A star stands for anything: it holds in every case that is measured and that
    /// the name matches.
    pub(super) case: &'static str,
    pub(super) metric: &'static str,
    /// With a star, all systems that the name matches and that are to be had.
    pub(super) ours: &'static str,
    /// None where the figure itself is bounded.
    pub(super) against: Option<&'static str>,
    pub(super) limit: Limit,
    /// A system that does nothing but what cannot be left out: one hand-over between threads for each event, or a bare epoll.
    /// Where it falls short too, the limit is out of reach here.
    pub(super) floor: Option<&'static str>,
}

impl Bound {
    const fn over(self, floor: &'static str) -> Bound {
        Bound { floor: Some(floor), ..self }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Limit {
    AtMost(f64),
    AtLeast(f64),
}

use Limit::{AtLeast, AtMost};

// The star takes in, where a work has both, a callback and a task on a stream.
const WORKER: &str = "interloop/epoll/worker/condvar*";
const ANY_WORKER: &str = "interloop/epoll/worker/*";
const WORKER_IN_GLIB: &str = "interloop/epoll/worker/glib*";
const EMBEDDED_IN_GLIB: &str = "interloop/epoll/embed/glib*";
const RUN: &str = "interloop/epoll/run/own*";
const FLOOR: &str = "hand-over/condvar";
const FLOOR_IN_GLIB: &str = "hand-over/glib";
const CHANNELS: &str = "tokio-channels/glib";
const LEAN_CHANNELS: &str = "tokio-channels/glib/lean";

/// A work, its cases, and a metric of it.
type Figures = (&'static str, &'static str, &'static str);

/// A ratio between two systems.
const fn ratio(
    about: &'static str,
    (work, case, metric): Figures,
    ours: &'static str,
    against: &'static str,
    limit: Limit,
) -> Bound {
    Bound { about, work, case, metric, ours, against: Some(against), limit, floor: None }
}

/// A bound of the figure itself.
const fn figure(
    about: &'static str,
    (work, case, metric): Figures,
    ours: &'static str,
    limit: Limit,
) -> Bound {
    Bound { about, work, case, metric, ours, against: None, limit, floor: None }
}

const ECHO: Figures = ("echo", "*", "p50");
const IDLE_1000: Figures = ("idle", "1000/*", "p50");
const IDLE_10000: Figures = ("idle", "10000/*", "p50");
const FAN_STREAMS: Figures = ("fan", "streams/1000", "per_callback");
const FAN_CALLBACKS: Figures = ("fan", "callbacks/1000", "per_callback");
const FAN_WAKES: Figures = ("fan", "*", "wakes_per_batch");
const CALLS_4: Figures = ("calls", "4-threads", "per_call");
const SLEEPS_SET: Figures = ("timers", "insert-cancel/sleeps/*", "per_timer");
const SLEEPS_FIRED: Figures = ("timers", "fire/sleeps/*", "per_timer");
// Beside a million, calloop is left out: its time grows with the square.
const CALLBACKS_SET: Figures = ("timers", "insert-cancel/callbacks/1000", "per_timer");
const CALLBACKS_FIRED: Figures = ("timers", "fire/callbacks/1000", "per_timer");
const SPAWN: Figures = ("tasks", "spawn/*", "per_task");
const YIELD: Figures = ("tasks", "yield/*", "per_task");
const WAKE: Figures = ("tasks", "wake/*", "per_task");
const HTTP: Figures = ("http", "*", "requests");
const SOURCE: Figures = ("memory", "source", "bytes");
const STREAM: Figures = ("memory", "stream", "bytes");
const IDLE_WAKES: Figures = ("idle-cpu", "*", "wakes");

pub(super) const ALL: &[Bound] = &[
    ratio("echo in GLib", ECHO, EMBEDDED_IN_GLIB, "glib", AtMost(1.05)),
    ratio("echo in GLib", ECHO, WORKER_IN_GLIB, "glib", AtMost(1.35)).over(FLOOR_IN_GLIB),
    ratio("echo in GLib", ECHO, WORKER_IN_GLIB, "async-io/glib", AtMost(0.8)).over(FLOOR_IN_GLIB),
    // As the book of gtk-rs has it, and in the leanest form.
    ratio("echo in GLib", ECHO, WORKER_IN_GLIB, CHANNELS, AtMost(0.45)).over(FLOOR_IN_GLIB),
    ratio("echo in GLib", ECHO, WORKER_IN_GLIB, LEAN_CHANNELS, AtMost(0.45)).over(FLOOR_IN_GLIB),
    ratio("echo, no toolkit", ECHO, RUN, "raw-epoll", AtMost(1.10)),
    ratio("echo, condvar host", ECHO, WORKER, "raw-epoll", AtMost(1.8)).over(FLOOR),
    ratio("idle in GLib", IDLE_1000, EMBEDDED_IN_GLIB, "glib", AtMost(0.06)).over("raw-epoll"),
    ratio("idle in GLib", IDLE_1000, WORKER_IN_GLIB, "glib", AtMost(0.06)).over(FLOOR_IN_GLIB),
    ratio("idle in GLib", IDLE_10000, EMBEDDED_IN_GLIB, "glib", AtMost(0.01)).over("raw-epoll"),
    ratio("idle in GLib", IDLE_10000, WORKER_IN_GLIB, "glib", AtMost(0.01)).over(FLOOR_IN_GLIB),
    ratio("fan, edge-triggered streams", FAN_STREAMS, WORKER, "raw-epoll", AtMost(1.25)),
    ratio("fan, callbacks that re-arm", FAN_CALLBACKS, WORKER, "raw-epoll", AtMost(1.25)),
    figure("fan, wakes of a batch", FAN_WAKES, ANY_WORKER, AtMost(1.0)),
    ratio("calls in GLib", CALLS_4, WORKER_IN_GLIB, "invoke/glib", AtMost(0.12)),
    // With a closure in a box for each call, and with plain messages.
    ratio("calls, condvar host", CALLS_4, WORKER, "tokio", AtMost(0.8)),
    ratio("calls, condvar host", CALLS_4, WORKER, "tokio/messages", AtMost(0.8)),
    ratio("timers, set and cancelled", SLEEPS_SET, RUN, "tokio", AtMost(0.8)),
    ratio("timers, set and cancelled", CALLBACKS_SET, RUN, "calloop", AtMost(0.5)),
    ratio("timers, fired", SLEEPS_FIRED, RUN, "tokio", AtMost(0.8)),
    ratio("timers, fired", CALLBACKS_FIRED, RUN, "calloop", AtMost(0.5)),
    ratio("tasks, spawned", SPAWN, RUN, "async-executor", AtMost(0.9)),
    ratio("tasks, spawned", SPAWN, RUN, "tokio", AtMost(0.7)),
    ratio("tasks that yield", YIELD, RUN, "async-executor", AtMost(0.9)),
    ratio("tasks that yield", YIELD, RUN, "tokio", AtMost(0.7)),
    ratio("tasks, woken", WAKE, RUN, "async-executor", AtMost(0.9)),
    ratio("tasks, woken", WAKE, RUN, "tokio", AtMost(0.7)),
    ratio("http", HTTP, WORKER_IN_GLIB, "tokio", AtLeast(0.85)),
    ratio("memory of a source", SOURCE, RUN, "tokio", AtMost(0.5)),
    ratio("memory of a stream", STREAM, RUN, "tokio", AtMost(0.5)),
    figure("wakes in idle seconds", IDLE_WAKES, "interloop/*", AtMost(0.0)),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::selection::matches;
    use crate::compare::work::Effort;
    use crate::works;

    /// Else a quick `--check` would name it as not measured.
    #[test]
    fn every_bound_is_about_what_a_quick_run_has() {
        for Bound { about, work, case, ours, against, floor, .. } in ALL {
            let known = works::ALL.iter().find(|known| known.name == *work);
            let known = known.unwrap_or_else(|| panic!("{about}: there is no work {work}"));
            let mut cases = (known.cases)(Effort::Quick);
            cases.retain(|known| matches(case, known));
            assert!(!cases.is_empty(), "{about}: there is no case {case}");
            for case in cases {
                let systems = (known.systems)(&case, Effort::Quick);
                for name in [Some(*ours), *against, *floor].into_iter().flatten() {
                    let is_known = systems.iter().any(|system| matches(name, system));
                    assert!(is_known, "{about}: {case} has no system {name}");
                }
            }
        }
    }
}
