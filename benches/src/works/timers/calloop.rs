//! calloop's heap. Inserting a source looks for a free slot from the first on, and cancelling a timer
//! walks the heap, so that a crowd costs its square.

use std::io;
use std::time::{Duration, Instant};

use calloop::timer::{TimeoutAction, Timer};
use calloop::{EventLoop, LoopHandle, RegistrationToken};

use super::Took;
use super::plan::{Plan, wait_for};
use crate::systems::left_out;

/// How many timers have fired.
type Fired = usize;

/// With more than so many, a sample would take minutes.
const MOST: usize = 20_000;

/// A timer that is cancelled when it is dropped.
pub(super) struct Cancel<'a>(&'a LoopHandle<'static, Fired>, RegistrationToken);

impl<'a> Cancel<'a> {
    pub(super) fn new(handle: &'a LoopHandle<'static, Fired>, delay: Duration) -> Cancel<'a> {
        Cancel(handle, insert(handle, Timer::from_duration(delay)))
    }

    pub(super) fn detach(self) {
        std::mem::forget(self);
    }
}

impl Drop for Cancel<'_> {
    fn drop(&mut self) {
        self.0.remove(self.1);
    }
}

fn event_loop(plan: Plan) -> io::Result<EventLoop<'static, Fired>> {
    if plan.crowd > MOST {
        return Err(left_out("inserting and cancelling walk all timers: it would take an hour"));
    }
    EventLoop::try_new().map_err(io::Error::from)
}

fn insert(handle: &LoopHandle<'static, Fired>, timer: Timer) -> RegistrationToken {
    let fire = |_: Instant, (): &mut (), fired: &mut Fired| {
        *fired += 1;
        TimeoutAction::Drop
    };
    handle.insert_source(timer, fire).expect("a timer needs nothing of the system")
}

pub(super) fn set(plan: Plan) -> io::Result<Took> {
    let event_loop = event_loop(plan)?;
    let handle = event_loop.handle();
    let mut took = Took::default();
    for round in 0..plan.rounds {
        took.insert_cancel(plan, round, |delay| Cancel::new(&handle, delay));
    }
    Ok(took)
}

pub(super) fn fire(plan: Plan) -> io::Result<Took> {
    let mut event_loop = event_loop(plan)?;
    let handle = event_loop.handle();
    let mut took = Took::default();
    for round in 0..plan.rounds {
        let (deadlines, end) = plan.deadlines(round);
        for deadline in deadlines {
            insert(&handle, Timer::from_deadline(deadline));
        }
        wait_for(end);
        let mut fired = 0;
        took.fire(|| {
            while fired < plan.crowd {
                event_loop.dispatch(None, &mut fired)?;
            }
            Ok(())
        })?;
    }
    Ok(took)
}
