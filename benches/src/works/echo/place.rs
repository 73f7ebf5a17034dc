//! On which processors the client and the server run.

use std::io;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Where the threads of a sample may run. It decides what a hand-over from one thread to the next costs: on
/// one processor a switch of threads, between two an interrupt as well, and the way out of the idle state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Place {
    /// All on one processor, so that each run measures the same.
    OneCpu,
    /// Where the scheduler puts them, which it decides anew in every run.
    Anywhere,
}

impl Place {
    pub(crate) const ALL: [Place; 2] = [Place::OneCpu, Place::Anywhere];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Place::OneCpu => "one-cpu",
            Place::Anywhere => "anywhere",
        }
    }

    pub(crate) fn named(name: &str) -> Option<Place> {
        Place::ALL.into_iter().find(|place| place.name() == name)
    }

    /// Goes there with this thread, and with all that it starts from here on.
    pub(crate) fn go(self) -> io::Result<()> {
        if self == Place::Anywhere {
            return Ok(());
        }
        let allowed = sched_getaffinity(None)?;
        // The first one has most of the machine's interrupts.
        let last = (0..CpuSet::MAX_CPU).rev().find(|cpu| allowed.is_set(*cpu));
        let mut only = CpuSet::new();
        only.set(last.ok_or_else(|| io::Error::other("this process may run on no processor"))?);
        Ok(sched_setaffinity(None, &only)?)
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn one_cpu_is_one_for_the_threads_that_follow_too() {
        let there = thread::spawn(|| {
            Place::OneCpu.go()?;
            let follows = thread::spawn(|| sched_getaffinity(None));
            Ok(follows.join().expect("it does not panic")?)
        });
        let there: io::Result<CpuSet> = there.join().expect("it does not panic");
        assert_eq!(there.map(|allowed| allowed.count()).ok(), Some(1));
    }
}
