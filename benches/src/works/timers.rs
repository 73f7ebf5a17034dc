//! Timers: what setting, cancelling and firing many of them costs, and the wakes of a loop that has
//! nothing to do but many timers for later.
//!
//! Two kinds are told apart, as the systems tell them apart. *Callbacks*: a closure that counts.
//! *Sleeps*: a boxed future, polled once with a waker that counts, which is how tokio's and async-io's
//! timers are put in place. A system takes part in what it has.

mod async_io;
mod calloop;
#[cfg_attr(not(feature = "glib"), path = "timers/glib/absent.rs")]
mod glib;
mod goal;
mod interloop;
mod plan;
#[cfg_attr(not(feature = "qt"), path = "timers/qt/absent.rs")]
mod qt;
mod tokio;
mod wakes;

use std::io;
use std::time::{Duration, Instant};

use crate::compare::{Effort, Figure, Sample, Work};
use crate::systems::unknown;
use plan::Plan;

/// The work `timers`.
pub(crate) const WORK: Work = Work {
    name: "timers",
    about: "insert, cancel and fire many timers; wakes for timers that are not due",
    reference: "interloop/epoll/run/own",
    cases,
    systems,
    at_once: false,
    sample,
};

/// The largest crowd is that of the issue; the small one is that of a program with some connections.
fn cases(effort: Effort) -> Vec<String> {
    let (callbacks, sleeps): (&[usize], &[usize]) = match effort {
        Effort::Quick => (&[1_000], &[1_000, 100_000]),
        Effort::Full => (&[1_000, 1_000_000], &[1_000, 1_000_000]),
    };
    let mut cases = Vec::new();
    for (kind, crowds) in [("callbacks", callbacks), ("sleeps", sleeps)] {
        for what in ["insert-cancel", "fire"] {
            cases.extend(crowds.iter().map(|crowd| format!("{what}/{kind}/{crowd}")));
        }
    }
    cases.push("wakes".to_owned());
    cases
}

fn systems(case: &str, effort: Effort) -> Vec<String> {
    let ours = "interloop/epoll/run/own";
    let systems: &[&str] = if case == "wakes" {
        &[ours, "interloop/epoll/worker/condvar", "tokio", "calloop", "async-io", "glib", "qt"]
    } else if case.contains("/callbacks/") {
        &[ours, "calloop", "glib", "qt"]
    } else if case.starts_with("fire/") {
        &[ours, "tokio"]
    } else {
        &[ours, "tokio", "async-io"]
    };
    let mut systems = systems.to_vec();
    // A quick run has Qt where that takes no time.
    if effort == Effort::Quick && !case.starts_with("insert-cancel/") {
        systems.retain(|system| *system != "qt");
    }
    systems.into_iter().map(str::to_owned).collect()
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    if sample.case == "wakes" {
        return wakes::sample(sample);
    }
    let mut parts = sample.case.splitn(3, '/');
    let (Some(what), Some(kind), Some(crowd)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(unknown(&sample.case));
    };
    let crowd = crowd.parse().map_err(|_| unknown(&sample.case))?;
    // A small crowd is set and cancelled, or fired, several times over.
    let least = if sample.effort == Effort::Quick { 10_000 } else { 200_000 };
    let plan = Plan { crowd, rounds: usize::max(least / crowd, 1) };
    let took = match (sample.system.as_str(), what, kind) {
        ("interloop/epoll/run/own", "insert-cancel", "callbacks") => {
            interloop::set_callbacks(plan)?
        }
        ("interloop/epoll/run/own", "insert-cancel", _) => interloop::set_sleeps(plan)?,
        ("interloop/epoll/run/own", _, "callbacks") => interloop::fire_callbacks(plan)?,
        ("interloop/epoll/run/own", _, _) => interloop::fire_sleeps(plan)?,
        ("calloop", "insert-cancel", _) => calloop::set(plan)?,
        ("calloop", _, _) => calloop::fire(plan)?,
        ("glib", "insert-cancel", _) => glib::set(plan)?,
        ("glib", _, _) => glib::fire(plan)?,
        ("qt", "insert-cancel", _) => qt::set(plan)?,
        ("qt", _, _) => qt::fire(plan)?,
        ("tokio", "insert-cancel", _) => tokio::set(plan)?,
        ("tokio", _, _) => tokio::fire(plan)?,
        ("async-io", "insert-cancel", _) => async_io::set(plan),
        _ => return Err(unknown(&sample.system)),
    };
    Ok(took.figures(plan))
}

/// How long the steps took, all rounds together.
#[derive(Default)]
struct Took {
    insert: Duration,
    cancel: Option<Duration>,
    fire: Option<Duration>,
}

impl Took {
    /// Sets timers by `insert`, once for each of the plan's delays, and drops what that returned.
    fn insert_cancel<T>(
        &mut self,
        plan: Plan,
        round: usize,
        mut insert: impl FnMut(Duration) -> T,
    ) {
        let delays = plan.delays(round);
        let mut timers = Vec::with_capacity(delays.len());
        let began = Instant::now();
        timers.extend(delays.into_iter().map(&mut insert));
        let inserted = Instant::now();
        // In the order in which they were set, as requests end more or less in theirs.
        drop(timers);
        self.insert += inserted - began;
        *self.cancel.get_or_insert_default() += inserted.elapsed();
    }

    /// Has a loop fire what is due.
    fn fire(&mut self, fire: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        let began = Instant::now();
        fire()?;
        *self.fire.get_or_insert_default() += began.elapsed();
        Ok(())
    }

    fn figures(&self, plan: Plan) -> Vec<Figure> {
        let timers = (plan.crowd * plan.rounds) as f64;
        let each = |took: Duration| took.as_nanos() as f64 / timers;
        let figure = |metric, value| Figure::new(metric, "ns", value);
        let mut figures = Vec::new();
        if let Some(cancel) = self.cancel {
            figures.push(figure("insert", each(self.insert)));
            figures.push(figure("cancel", each(cancel)));
            figures.push(figure("per_timer", each(self.insert + cancel)));
        }
        if let Some(fire) = self.fire {
            figures.push(figure("per_timer", each(fire)));
        }
        figures
    }
}
