//! What is compared: one file a work.

mod echo;
mod http;
mod idle;
mod idle_cpu;

use crate::compare::Work;

/// Every work, in the order of the run.
pub(crate) const ALL: &[Work] = &[echo::WORK, idle::WORK, http::WORK, idle_cpu::WORK];
