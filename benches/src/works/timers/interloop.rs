//! Our own, in `run()` and `block_on()`.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Waker;
use std::time::Instant;

use interloop::{BackendKind, Reactor};

use super::Took;
use super::goal::{Goal, polled};
use super::plan::{Plan, wait_for};

pub(super) fn reactor() -> io::Result<Reactor> {
    Reactor::builder().backend(BackendKind::Epoll).build()
}

pub(super) fn set_callbacks(plan: Plan) -> io::Result<Took> {
    let reactor = reactor()?;
    let fired = Rc::new(Cell::new(0_usize));
    let mut took = Took::default();
    for round in 0..plan.rounds {
        took.insert_cancel(plan, round, |delay| {
            let fired = Rc::clone(&fired);
            reactor.after(delay, move || fired.set(fired.get() + 1))
        });
    }
    Ok(took)
}

pub(super) fn set_sleeps(plan: Plan) -> io::Result<Took> {
    let reactor = reactor()?;
    let waker = Waker::from(Goal::new(usize::MAX));
    let mut took = Took::default();
    for round in 0..plan.rounds {
        took.insert_cancel(plan, round, |delay| polled(reactor.sleep(delay), &waker));
    }
    Ok(took)
}

pub(super) fn fire_callbacks(plan: Plan) -> io::Result<Took> {
    let reactor = reactor()?;
    let mut took = Took::default();
    for round in 0..plan.rounds {
        let goal = Goal::new(1);
        let (deadlines, end) = plan.deadlines(round);
        let left = Rc::new((Cell::new(plan.crowd), Waker::from(Arc::clone(&goal))));
        for deadline in deadlines {
            let left = Rc::clone(&left);
            let fire = move || {
                let (left, reached) = &*left;
                left.set(left.get() - 1);
                if left.get() == 0 {
                    reached.wake_by_ref();
                }
            };
            reactor.at(deadline, fire).detach();
        }
        wait_for(end);
        took.fire(|| reactor.block_on(goal.reached()))?;
    }
    Ok(took)
}

pub(super) fn fire_sleeps(plan: Plan) -> io::Result<Took> {
    let reactor = reactor()?;
    let mut took = Took::default();
    for round in 0..plan.rounds {
        let goal = Goal::new(plan.crowd);
        let waker = Waker::from(Arc::clone(&goal));
        let (deadlines, end) = plan.deadlines(round);
        let sleeps = deadlines.into_iter().map(|deadline| {
            let delay = deadline.saturating_duration_since(Instant::now());
            polled(reactor.sleep(delay), &waker)
        });
        let _sleeps: Vec<_> = sleeps.collect();
        wait_for(end);
        took.fire(|| reactor.block_on(goal.reached()))?;
    }
    Ok(took)
}
