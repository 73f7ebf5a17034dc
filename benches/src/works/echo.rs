//! One byte, there and back.

pub(crate) mod client;
pub(crate) mod scene;
pub(crate) mod servers;

use std::io;

use crate::compare::{Effort, Figure, Sample, Work};
use client::Pace;
use scene::{Kind, Scene, Stream};

pub(crate) const WORK: Work = Work {
    name: "echo",
    about: "one byte there and back, one client",
    reference: "raw-epoll",
    cases,
    systems: |_| servers::names(),
    at_once: false,
    sample,
};

const BACK_TO_BACK: (&str, Pace) = ("back-to-back", Pace::BackToBack);
const PAUSED: (&str, Pace) = ("paused-200us", Pace::Paused);

fn cases(effort: Effort) -> Vec<String> {
    let case = |kind: Kind, pace: &str| format!("{}/{pace}", kind.name());
    match effort {
        Effort::Quick => vec![case(Kind::Pair, BACK_TO_BACK.0)],
        Effort::Full => {
            let kinds = [Kind::Pair, Kind::Tcp].into_iter();
            let paces = [BACK_TO_BACK, PAUSED];
            kinds.flat_map(|kind| paces.map(|(pace, _)| case(kind, pace))).collect()
        }
    }
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let (kind, pace) = parse(&sample.case)?;
    let (ours, theirs) = Stream::pair(kind)?;
    let client = client::start(theirs, pace, sample.effort.sample_time());
    // When it fails, the stream is closed, and the client ends too.
    servers::serve(&sample.system, Scene { stream: ours, silent: Vec::new() })?;
    client.figures()
}

fn parse(case: &str) -> io::Result<(Kind, Pace)> {
    let parsed = || {
        let (kind, pace) = case.split_once('/')?;
        let kind = [Kind::Pair, Kind::Tcp].into_iter().find(|known| known.name() == kind)?;
        let (_, pace) = [BACK_TO_BACK, PAUSED].into_iter().find(|(name, _)| *name == pace)?;
        Some((kind, pace))
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
        assert!(parse("socketpair").is_err());
    }
}
