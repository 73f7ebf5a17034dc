//! Who delivers the batches: a file for each system.

mod calloop;
#[cfg_attr(not(feature = "glib"), path = "systems/glib/absent.rs")]
mod glib;
mod mio;
mod ours;
mod polling;
#[cfg_attr(not(feature = "qt"), path = "systems/qt/absent.rs")]
mod qt;
mod raw_epoll;
mod smol;
mod tokio;

use std::io;

use super::Kind;
use super::batch::Scene;
use crate::systems::unknown;

/// Watches the scene as the kind says, and delivers until the tally has enough.
type Serve = fn(Kind, Scene) -> io::Result<()>;

/// Each system but interloop's, and which kinds it has.
const SYSTEMS: &[(&str, &[Kind], Serve)] = &[
    ("raw-epoll", &Kind::ALL, raw_epoll::serve),
    ("glib", &[Kind::Callbacks], glib::serve),
    ("async-io/glib", &[Kind::Streams], glib::async_io),
    ("tokio-local/glib", &[Kind::Streams], glib::tokio_local),
    ("qt", &[Kind::Callbacks], qt::serve),
    ("mio", &[Kind::Streams], mio::serve),
    ("polling", &Kind::ALL, polling::serve),
    ("calloop", &Kind::ALL, calloop::serve),
    ("tokio", &[Kind::Streams], tokio::serve),
    ("smol", &[Kind::Streams], smol::serve),
];

/// The systems that have this kind.
pub(super) fn names(kind: Kind) -> Vec<String> {
    let others = SYSTEMS.iter().filter(|(_, kinds, _)| kinds.contains(&kind));
    others.map(|(name, ..)| (*name).to_owned()).chain(ours::names()).collect()
}

pub(super) fn serve(system: &str, kind: Kind, scene: Scene) -> io::Result<()> {
    if system.starts_with("interloop/") {
        return ours::serve(system, kind, scene);
    }
    let found = SYSTEMS.iter().find(|(name, ..)| *name == system);
    let (_, _, serve) = found.ok_or_else(|| unknown(system))?;
    serve(kind, scene)
}
