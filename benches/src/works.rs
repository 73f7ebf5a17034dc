//! What is compared: one file a work.

mod echo;
mod idle;

use crate::compare::Work;

/// Every work, in the order of the run.
pub(crate) const ALL: &[Work] = &[echo::WORK, idle::WORK];
