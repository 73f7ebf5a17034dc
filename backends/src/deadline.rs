//! The end of a wait, for calls that have to go on with what is left of their timeout.

use std::time::{Duration, Instant};

use rustix::event::Timespec;

/// When a wait ends.
pub(crate) enum Deadline {
    /// Never, or so far away that the clock cannot say it.
    Never,
    At(Instant),
    /// At once: there is no need of a clock.
    Passed,
}

impl Deadline {
    /// The deadline of a wait that starts here.
    pub(crate) fn after(timeout: Option<Duration>) -> Deadline {
        match timeout {
            Some(Duration::ZERO) => Deadline::Passed,
            Some(timeout) => {
                Instant::now().checked_add(timeout).map_or(Deadline::Never, Deadline::At)
            }
            None => Deadline::Never,
        }
    }

    /// What is left until the deadline: `None` for ever, zero when it has passed.
    pub(crate) fn left(&self) -> Option<Duration> {
        match self {
            Deadline::Never => None,
            Deadline::At(at) => Some(at.saturating_duration_since(Instant::now())),
            Deadline::Passed => Some(Duration::ZERO),
        }
    }
}

/// `timeout` as the system calls take it.
///
/// It is cut at eleven days, which all of them can count; a wait that this ends early goes on with
/// what is left.
pub(crate) fn timespec(timeout: Duration) -> Timespec {
    const LONGEST: Duration = Duration::from_secs(1_000_000);
    let timeout = timeout.min(LONGEST);
    Timespec { tv_sec: timeout.as_secs() as _, tv_nsec: timeout.subsec_nanos() as _ }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_timeout_and_an_endless_one_never_end() {
        assert_eq!(Deadline::after(None).left(), None);
        assert_eq!(Deadline::after(Some(Duration::MAX)).left(), None);
    }

    #[test]
    fn a_deadline_that_has_passed_leaves_nothing() {
        assert_eq!(Deadline::after(Some(Duration::ZERO)).left(), Some(Duration::ZERO));
    }

    #[test]
    fn a_timespec_is_exact_or_cut() {
        assert_eq!(timespec(Duration::new(3, 7)), Timespec { tv_sec: 3, tv_nsec: 7 });
        assert_eq!(timespec(Duration::MAX), Timespec { tv_sec: 1_000_000, tv_nsec: 0 });
    }
}
