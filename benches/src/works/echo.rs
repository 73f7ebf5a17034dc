//! One byte, there and back.

pub(crate) mod client;
pub(crate) mod place;
pub(crate) mod scene;
pub(crate) mod servers;

use std::io;

use crate::compare::{Effort, Figure, Sample, Work};
use client::Pace;
use place::Place;
use scene::{Kind, Scene, Stream};

pub(crate) const WORK: Work = Work {
    name: "echo",
    about: "one byte there and back, one client",
    reference: "raw-epoll",
    cases,
    systems,
    at_once: false,
    sample,
};

const PACES: [(&str, Pace); 2] =
    [("back-to-back", Pace::BackToBack), ("paused-200us", Pace::Paused)];

fn cases(effort: Effort) -> Vec<String> {
    let (kinds, paces): (&[_], &[_]) = match effort {
        Effort::Quick => (&[Kind::Pair], &PACES[..1]),
        Effort::Full => (&[Kind::Pair, Kind::Tcp], &PACES),
    };
    let mut cases = Vec::new();
    for kind in kinds {
        for (pace, _) in paces {
            let places = Place::ALL.map(|place| format!("{}/{pace}/{}", kind.name(), place.name()));
            cases.extend(places);
        }
    }
    cases
}

/// What differs from backend to backend is seen on the plainest connection: elsewhere, ours are with epoll.
fn systems(case: &str, _effort: Effort) -> Vec<String> {
    let mut systems = servers::names();
    let plainest = [Kind::Pair.name(), PACES[0].0, Place::OneCpu.name()].join("/");
    if case != plainest {
        let other = |system: &str| match system.strip_prefix("interloop/") {
            Some(ours) => !ours.starts_with("epoll/"),
            None => false,
        };
        systems.retain(|system| !other(system));
    }
    systems
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let (kind, pace, place) = parse(&sample.case)?;
    place.go()?;
    let (ours, theirs) = Stream::pair(kind)?;
    let client = client::start(theirs, pace, sample.effort.sample_time());
    // When it fails, the stream is closed, and the client ends too.
    servers::serve(&sample.system, Scene { stream: ours, silent: Vec::new() })?;
    client.figures()
}

fn parse(case: &str) -> io::Result<(Kind, Pace, Place)> {
    let parsed = || {
        let mut words = case.split('/');
        let (kind, pace, place) = (words.next()?, words.next()?, words.next()?);
        let kind = [Kind::Pair, Kind::Tcp].into_iter().find(|known| known.name() == kind)?;
        let (_, pace) = PACES.into_iter().find(|(name, _)| *name == pace)?;
        Some((kind, pace, Place::named(place)?))
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
