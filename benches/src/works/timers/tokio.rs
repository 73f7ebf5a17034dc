//! tokio's wheel, in its current-thread runtime.

use std::io;
use std::sync::Arc;
use std::task::Waker;

use tokio::runtime::{Builder, Runtime};
use tokio::time::{Instant, sleep, sleep_until};

use super::Took;
use super::goal::{Goal, polled};
use super::plan::{Plan, wait_for};

pub(super) fn runtime() -> io::Result<Runtime> {
    Builder::new_current_thread().enable_all().build()
}

pub(super) fn set(plan: Plan) -> io::Result<Took> {
    let runtime = runtime()?;
    let _entered = runtime.enter();
    let waker = Waker::from(Goal::new(usize::MAX));
    let mut took = Took::default();
    for round in 0..plan.rounds {
        took.insert_cancel(plan, round, |delay| polled(sleep(delay), &waker));
    }
    Ok(took)
}

pub(super) fn fire(plan: Plan) -> io::Result<Took> {
    let runtime = runtime()?;
    let mut took = Took::default();
    for round in 0..plan.rounds {
        let goal = Goal::new(plan.crowd);
        let waker = Waker::from(Arc::clone(&goal));
        let (deadlines, end) = plan.deadlines(round);
        let entered = runtime.enter();
        let sleeps = deadlines
            .into_iter()
            .map(|deadline| polled(sleep_until(Instant::from_std(deadline)), &waker));
        let _sleeps: Vec<_> = sleeps.collect();
        drop(entered);
        wait_for(end);
        took.fire(|| {
            runtime.block_on(goal.reached());
            Ok(())
        })?;
    }
    Ok(took)
}
