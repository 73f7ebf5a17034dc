//! In the place of Qt's timers, where the feature is off.

use std::io;
use std::time::Duration;

use super::Took;
use super::plan::Plan;
use crate::systems::left_out;

pub(super) fn set(_plan: Plan) -> io::Result<Took> {
    absent()
}

pub(super) fn fire(_plan: Plan) -> io::Result<Took> {
    absent()
}

pub(super) fn wakes(_window: Duration) -> io::Result<u64> {
    absent()
}

fn absent<T>() -> io::Result<T> {
    Err(left_out("built without the feature `qt`"))
}
