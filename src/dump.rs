//! What a reactor holds, to be looked at.

use std::fmt;
use std::time::Duration;

use interloop_backends::Interest;

use crate::clock::between;
use crate::core::Core;
use crate::label::Label;
use crate::shutdown::Phase;

/// What a reactor holds, from [`Handle::dump`](crate::Handle::dump). It displays as one line each.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dump {
    /// The registered sources.
    pub sources: Vec<SourceDump>,
    /// The timers and sleeps that are set.
    pub timers: Vec<TimerDump>,
    /// The tasks that live, those of triggers too.
    pub tasks: Vec<Label>,
    /// The shutdown triggers that have not ended.
    pub triggers: Vec<(Phase, Label)>,
}

/// A source in a [`Dump`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SourceDump {
    /// Its name.
    pub label: Label,
    /// The number of its descriptor or socket.
    pub number: u64,
    /// What it is armed for.
    pub interest: Interest,
    /// True when its descriptor was closed behind the reactor's back.
    pub invalid: bool,
    /// True when it was removed, and the backend has not let go of it.
    pub limbo: bool,
}

/// A timer or a sleep in a [`Dump`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TimerDump {
    /// Its name.
    pub label: Label,
    /// In what time it is due, zero when it is overdue; None when that never comes.
    pub due_in: Option<Duration>,
}

impl Dump {
    pub(crate) fn of(core: &Core) -> Dump {
        let now = core.shared.clock.now();
        let sources = core.sources.see().into_iter().map(|seen| SourceDump {
            label: seen.label,
            number: seen.number,
            interest: seen.interest,
            invalid: seen.lost,
            limbo: seen.limbo,
        });
        let timers = core.timers.borrow();
        let timers = timers.table.iter().map(|(_, timer)| TimerDump {
            label: timer.label.clone(),
            due_in: between(now, timer.deadline),
        });
        Dump {
            sources: sources.collect(),
            timers: timers.collect(),
            tasks: core.tasks.labels(),
            triggers: core.shutdown.see(),
        }
    }
}

impl fmt::Display for Dump {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for source in &self.sources {
            let state = match (source.limbo, source.invalid) {
                (true, _) => " in limbo",
                (false, true) => " invalid",
                (false, false) => "",
            };
            let SourceDump { label, number, interest, .. } = source;
            writeln!(f, "source {label}: descriptor {number}, {interest:?}{state}")?;
        }
        for TimerDump { label, due_in } in &self.timers {
            match due_in {
                Some(due_in) => writeln!(f, "timer {label}: due in {due_in:?}")?,
                None => writeln!(f, "timer {label}: never due")?,
            }
        }
        for label in &self.tasks {
            writeln!(f, "task {label}")?;
        }
        for (phase, label) in &self.triggers {
            writeln!(f, "{phase:?} trigger {label}")?;
        }
        Ok(())
    }
}
