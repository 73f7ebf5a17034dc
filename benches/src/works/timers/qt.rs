//! Qt's timers. Each is put in its place among those of its thread by a walk through them.

use std::cell::Cell;
use std::io;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::Took;
use super::plan::{Plan, wait_for};
use super::wakes::count;
use crate::systems::left_out;
use crate::systems::qt::{Application, Timer};

/// With more than so many, a sample would take minutes.
const MOST: usize = 20_000;

fn check(plan: Plan) -> io::Result<()> {
    if plan.crowd > MOST {
        return Err(left_out("setting and cancelling walk all timers: it would take minutes"));
    }
    Ok(())
}

/// A QTimer, which is stopped when it is deleted.
pub(super) fn set(plan: Plan) -> io::Result<Took> {
    check(plan)?;
    let application = Application::new();
    let fired = Rc::new(Cell::new(0_usize));
    let mut took = Took::default();
    for round in 0..plan.rounds {
        took.insert_cancel(plan, round, |delay| {
            let fired = Rc::clone(&fired);
            Timer::once(&application, delay, move || fired.set(fired.get() + 1))
        });
    }
    Ok(took)
}

/// `QTimer::singleShot`, which nobody has to keep.
pub(super) fn fire(plan: Plan) -> io::Result<Took> {
    check(plan)?;
    let application = Application::new();
    let mut took = Took::default();
    for round in 0..plan.rounds {
        let (deadlines, end) = plan.deadlines(round);
        let left = Rc::new(Cell::new(plan.crowd));
        for deadline in deadlines {
            let left = Rc::clone(&left);
            let fire = move || {
                left.set(left.get() - 1);
                if left.get() == 0 {
                    Application::quit();
                }
            };
            application.single_shot(deadline.saturating_duration_since(Instant::now()), fire);
        }
        wait_for(end);
        took.fire(|| {
            application.exec();
            Ok(())
        })?;
    }
    Ok(took)
}

pub(super) fn wakes(window: Duration) -> io::Result<u64> {
    let application = Application::new();
    let set = |delay| Timer::once(&application, delay, || ());
    count(window, set, || {
        application.single_shot(window, Application::quit);
        application.exec();
        Ok(())
    })
}
