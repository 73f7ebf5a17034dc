//! What is compared: one file a work.

mod calls;
mod echo;
mod fan;
mod http;
mod idle;
mod idle_cpu;
mod memory;
mod tasks;
mod timers;

use crate::compare::Work;

/// Every work, in the order of the run.
pub(crate) const ALL: &[Work] = &[
    echo::WORK,
    idle::WORK,
    fan::WORK,
    calls::WORK,
    timers::WORK,
    tasks::WORK,
    http::WORK,
    memory::WORK,
    idle_cpu::WORK,
];
