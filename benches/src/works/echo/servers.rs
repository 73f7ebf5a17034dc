//! The servers: one for each system, or for a family of them.

#[cfg_attr(not(feature = "glib"), path = "servers/glib/absent.rs")]
mod glib;
mod ours;
mod raw_epoll;
mod streams;

use std::io;

use super::scene::Scene;
use crate::systems::unknown;

/// A system's name, and its loop on this thread: it registers what is silent, and echoes on the stream
/// until its end.
type Server = (&'static str, fn(Scene) -> io::Result<()>);

/// All but interloop's, which are made of their names.
const FAMILIES: &[&[Server]] = &[&[("raw-epoll", raw_epoll::serve)], glib::SERVERS];

/// The systems that have a server.
pub(crate) fn names() -> Vec<String> {
    let others = FAMILIES.iter().copied().flatten().map(|(name, _)| (*name).to_owned());
    others.chain(ours::names()).collect()
}

/// Serves the scene in this system until the client closes its end.
pub(crate) fn serve(system: &str, scene: Scene) -> io::Result<()> {
    if system.starts_with("interloop/") {
        return ours::serve(system, scene);
    }
    let mut servers = FAMILIES.iter().copied().flatten();
    let server = servers.find(|(name, _)| *name == system);
    let (_, serve) = server.ok_or_else(|| unknown(system))?;
    serve(scene)
}
