//! GLib's timeouts. It prepares every source of its context before each wait.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use glib::{MainContext, SourceId, timeout_add_local_once};

use super::Took;
use super::plan::{Plan, wait_for};
use super::wakes::count;

/// A timeout that is removed when this is dropped.
pub(super) struct Cancel(Option<SourceId>);

impl Cancel {
    pub(super) fn new(delay: Duration, fire: impl FnOnce() + 'static) -> Cancel {
        Cancel(Some(timeout_add_local_once(delay, fire)))
    }
}

impl Drop for Cancel {
    fn drop(&mut self) {
        self.0.take().into_iter().for_each(SourceId::remove);
    }
}

pub(super) fn set(plan: Plan) -> io::Result<Took> {
    let fired = Rc::new(Cell::new(0_usize));
    let mut took = Took::default();
    for round in 0..plan.rounds {
        took.insert_cancel(plan, round, |delay| {
            let fired = Rc::clone(&fired);
            Cancel::new(delay, move || fired.set(fired.get() + 1))
        });
    }
    Ok(took)
}

pub(super) fn fire(plan: Plan) -> io::Result<Took> {
    let context = MainContext::default();
    let mut took = Took::default();
    for round in 0..plan.rounds {
        let (deadlines, end) = plan.deadlines(round);
        let left = Rc::new(Cell::new(plan.crowd));
        for deadline in deadlines {
            let left = Rc::clone(&left);
            let fire = move || left.set(left.get() - 1);
            timeout_add_local_once(deadline.saturating_duration_since(Instant::now()), fire);
        }
        wait_for(end);
        took.fire(|| {
            while left.get() > 0 {
                context.iteration(true);
            }
            Ok(())
        })?;
    }
    Ok(took)
}

pub(super) fn wakes(window: Duration) -> io::Result<u64> {
    let context = MainContext::default();
    let set = |delay| Cancel::new(delay, || ());
    count(window, set, || {
        let over = Rc::new(Cell::new(false));
        let end = Rc::clone(&over);
        timeout_add_local_once(window, move || end.set(true));
        while !over.get() {
            context.iteration(true);
        }
        Ok(())
    })
}
