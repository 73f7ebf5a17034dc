//! async-io's ordered map of timers, which is the process's. It takes no part in firing: a thread of its
//! own fires what is due while the caller waits for the window to end.

use std::task::Waker;

use async_io::Timer;

use super::Took;
use super::goal::{Goal, polled};
use super::plan::Plan;

pub(super) fn set(plan: Plan) -> Took {
    let waker = Waker::from(Goal::new(usize::MAX));
    let mut took = Took::default();
    for round in 0..plan.rounds {
        took.insert_cancel(plan, round, |delay| polled(Timer::after(delay), &waker));
    }
    took
}
