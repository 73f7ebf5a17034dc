//! The servers: one for each system, or for a family of them.

mod ours;
mod raw_epoll;

use std::io;

use super::scene::Scene;
use crate::systems::ours::Ours;
use crate::systems::unknown;

/// Runs the named system's loop on this thread: registers what is silent, and echoes on the stream until
/// its end.
type Serve = fn(system: &str, scene: Scene) -> io::Result<()>;

/// Those that go by one name.
const SERVERS: &[(&str, Serve)] = &[("raw-epoll", raw_epoll::serve)];

/// The systems that have a server.
pub(crate) fn names() -> Vec<String> {
    let others = SERVERS.iter().map(|(name, _)| (*name).to_owned());
    others.chain(Ours::everywhere()).collect()
}

/// Serves the scene in this system until the client closes its end.
pub(crate) fn serve(system: &str, scene: Scene) -> io::Result<()> {
    if system.starts_with("interloop/") {
        return ours::serve(system, scene);
    }
    let server = SERVERS.iter().find(|(name, _)| *name == system);
    let (_, serve) = server.ok_or_else(|| unknown(system))?;
    serve(system, scene)
}
