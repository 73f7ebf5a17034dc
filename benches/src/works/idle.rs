//! The echo beside a crowd of descriptors that stay silent.

use std::io;
use std::os::unix::net::UnixDatagram;

use super::echo::client::{self, Pace};
use super::echo::place::Place;
use super::echo::scene::{Kind, Scene, Stream};
use super::echo::servers;
use crate::compare::{Effort, Figure, Sample, Work};

pub(crate) const WORK: Work = Work {
    name: "idle",
    about: "the echo beside so many registered descriptors that stay silent",
    reference: "raw-epoll",
    cases,
    systems: |_, _| systems(),
    at_once: false,
    sample,
};

fn cases(effort: Effort) -> Vec<String> {
    let (crowds, places): (&[usize], &[Place]) = match effort {
        Effort::Quick => (&[1000, 10_000], &[Place::OneCpu]),
        Effort::Full => (&[10, 100, 1000, 10_000], &Place::ALL),
    };
    let each = |crowd| places.iter().map(move |place: &Place| format!("{crowd}/{}", place.name()));
    crowds.iter().flat_map(each).collect()
}

fn parse(case: &str) -> io::Result<(usize, Place)> {
    let parsed = || {
        let (crowd, place) = case.split_once('/')?;
        Some((crowd.parse().ok()?, Place::named(place)?))
    };
    parsed().ok_or_else(|| crate::systems::unknown(case))
}

/// What a crowd costs is a matter of the backend, and of the loop that it is in: the backends besides epoll
/// are seen in one host, and those hosts that wait for no descriptor not at all.
fn systems() -> Vec<String> {
    let mut systems = servers::names();
    systems.retain(|system| match system.strip_prefix("interloop/") {
        Some(ours) if ours.starts_with("epoll/") => {
            !["/streams", "/sdl", "/winit"].iter().any(|end| ours.ends_with(end))
        }
        Some(ours) => ours.ends_with("/worker/condvar"),
        None => true,
    });
    systems
}

fn sample(sample: &Sample) -> io::Result<Vec<Figure>> {
    let (crowd, place) = parse(&sample.case)?;
    place.go()?;
    let silent = (0..crowd).map(|_| silent()).collect::<io::Result<_>>()?;
    let (stream, theirs) = Stream::pair(Kind::Pair)?;
    let client = client::start(theirs, Pace::BackToBack, sample.effort.sample_time());
    servers::serve(&sample.system, Scene { stream, silent })?;
    client.figures()
}

/// A socket that nobody knows, so that nothing comes.
pub(super) fn silent() -> io::Result<UnixDatagram> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_read_back() {
        for case in [Effort::Quick, Effort::Full].into_iter().flat_map(cases) {
            assert!(parse(&case).is_ok(), "{case}");
        }
        assert!(parse("1000").is_err());
    }
}
