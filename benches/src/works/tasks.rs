//! Tasks: what spawning, yielding and waking cost, on the executor's own thread and from another.
//!
//! Every executor runs the same futures, which know nothing of it but how to spawn and how to yield.

mod executors;
mod futures;
#[cfg_attr(not(feature = "glib"), path = "tasks/glib/absent.rs")]
mod glib;
mod signal;

use std::io;
use std::time::{Duration, Instant};

use crate::compare::{Effort, Figure, Sample, Work};
use crate::systems::unknown;
use executors::{AsyncExecutor, Driver, Executor, Ours, TokioLocal};

/// The work `tasks`.
pub(crate) const WORK: Work = Work {
    name: "tasks",
    about: "spawn, yield, wake from the same thread and from another",
    reference: "interloop/epoll/run/own",
    cases,
    systems,
    at_once: false,
    sample,
};

/// The numbers are those of tasks that live at once: alone, a task is the only one in the queue.
fn cases(effort: Effort) -> Vec<String> {
    let cases: &[&str] = match effort {
        Effort::Quick => &["spawn/1000", "yield/100", "wake/1", "wake-other/1"],
        Effort::Full => &[
            "spawn/1000",
            "yield/1",
            "yield/100",
            "wake/1",
            "wake/100",
            "wake-other/1",
            "wake-other/1000",
        ],
    };
    cases.iter().map(|&case| case.to_owned()).collect()
}

fn systems(_case: &str, _effort: Effort) -> Vec<String> {
    let systems = [
        "interloop/epoll/run/own",
        "interloop/epoll/worker/condvar",
        "async-executor",
        "async-executor/async-io",
        "tokio",
        "tokio/local-runtime",
        "glib",
    ];
    systems.map(str::to_owned).to_vec()
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let each = match sample.system.as_str() {
        "interloop/epoll/run/own" => measure(Ours::on_its_own()?, sample)?,
        "interloop/epoll/worker/condvar" => measure(Ours::interleaved()?, sample)?,
        "async-executor" => measure(AsyncExecutor::new(Driver::Alone), sample)?,
        "async-executor/async-io" => measure(AsyncExecutor::new(Driver::AsyncIo), sample)?,
        "tokio" => measure(TokioLocal::set()?, sample)?,
        "tokio/local-runtime" => measure(TokioLocal::runtime()?, sample)?,
        "glib" => glib::sample(sample)?,
        _ => return Err(unknown(&sample.system)),
    };
    Ok(vec![Figure::new("per_task", "ns", each)])
}

/// The nanoseconds of one spawn with its task's whole life, of one yield, or of one wake with the poll
/// that it leads to.
fn measure<E: Executor>(executor: E, sample: &Sample) -> io::Result<f64> {
    let quick = sample.effort == Effort::Quick;
    let units = if quick { 50_000 } else { 1_000_000 };
    let hops = if quick { 2_000 } else { 50_000 };
    let (took, units) = match sample.case.as_str() {
        "spawn/1000" => (futures::spawn(executor, 1000, units / 1000)?, units),
        "yield/1" => (futures::yields(executor, 1, units)?, units),
        "yield/100" => (futures::yields(executor, 100, units / 100)?, units),
        "wake/1" => (futures::wakes(executor, 1, units)?, units),
        "wake/100" => (futures::wakes(executor, 100, units / 100)?, units),
        "wake-other/1" => (futures::wakes_of_another(executor, 1, hops)?, hops),
        "wake-other/1000" => {
            (futures::wakes_of_another(executor, 1000, hops.max(20_000) / 1000)?, hops.max(20_000))
        }
        _ => return Err(unknown(&sample.case)),
    };
    Ok(took.as_nanos() as f64 / units as f64)
}

/// Times a future of the work, inside its executor.
async fn timed(future: impl Future<Output = ()>) -> Duration {
    let began = Instant::now();
    future.await;
    began.elapsed()
}
