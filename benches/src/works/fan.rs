//! Many descriptors that become ready at once.
//!
//! They are eventfds. One more, the gate, has the host thread held in its callback while another thread
//! rings all of them; the clock runs from the moment in which the host thread is let go until it comes to the
//! gate again, which the last of them has rung: all are delivered then, and armed again, whenever a system does that.
//! So every system finds the same: a host that was busy, and a batch that is complete. What a worker does while the
//! host is held, it does as it would beside any busy host; the processor time of a batch has that too.
//!
//! Wakes are counted in batches behind those with the clock. There the host is held a moment longer, so that a worker
//! too has found all that was rung.

mod batch;
mod bell;
mod systems;

use std::io;

use crate::compare::{Effort, Figure, Sample, Work};
use batch::Scene;

pub(crate) const WORK: Work = Work {
    name: "fan",
    about: "so many descriptors made ready at once, by edge for streams, or by callbacks that re-arm",
    reference: "raw-epoll",
    at_once: false,
    cases,
    systems: |case, _| parse(case).map_or_else(|_| Vec::new(), |(kind, _)| systems::names(kind)),
    sample,
};

/// How the descriptors are watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    /// As the streams of those who have some are: registered once, and read until there is nothing left.
    Streams,
    /// By a callback that reads once and is armed again.
    Callbacks,
}

impl Kind {
    const ALL: [Kind; 2] = [Kind::Streams, Kind::Callbacks];

    fn name(self) -> &'static str {
        match self {
            Kind::Streams => "streams",
            Kind::Callbacks => "callbacks",
        }
    }
}

fn cases(effort: Effort) -> Vec<String> {
    let widths: &[usize] = match effort {
        Effort::Quick => &[1000],
        Effort::Full => &[1, 10, 100, 1000, 10_000],
    };
    let each = |kind: Kind| widths.iter().map(move |width| format!("{}/{width}", kind.name()));
    Kind::ALL.into_iter().flat_map(each).collect()
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let (kind, width) = parse(&sample.case)?;
    let scene = Scene::new(width, sample.effort.sample_time())?;
    let tally = scene.tally.clone();
    systems::serve(&sample.system, kind, scene)?;
    Ok(tally.figures())
}

fn parse(case: &str) -> io::Result<(Kind, usize)> {
    let parsed = || {
        let (kind, width) = case.split_once('/')?;
        let kind = Kind::ALL.into_iter().find(|known| known.name() == kind)?;
        Some((kind, width.parse().ok()?))
    };
    parsed().ok_or_else(|| crate::systems::unknown(case))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_read_back() {
        for case in cases(Effort::Full) {
            assert!(parse(&case).is_ok(), "{case}");
        }
        assert!(parse("streams").is_err());
        assert!(parse("streams/many").is_err());
    }
}
