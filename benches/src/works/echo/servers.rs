//! The servers: one for each system, or for a family of them.

mod calloop;
#[cfg_attr(not(feature = "glib"), path = "servers/glib/absent.rs")]
mod glib;
mod hand_over;
#[cfg(any(feature = "sdl", feature = "winit"))]
mod io_thread;
mod mio;
mod ours;
mod polling;
#[cfg_attr(not(feature = "qt"), path = "servers/qt/absent.rs")]
mod qt;
mod raw_epoll;
#[cfg_attr(not(feature = "sdl"), path = "servers/sdl/absent.rs")]
mod sdl;
mod smol;
mod streams;
mod tokio;
#[cfg_attr(not(feature = "winit"), path = "servers/winit/absent.rs")]
mod winit;

use std::io;

use super::scene::Scene;
use crate::systems::unknown;

/// A system's name, and its loop on this thread: it registers what is silent, and echoes on the stream
/// until its end.
type Server = (&'static str, fn(Scene) -> io::Result<()>);

/// All but interloop's, which are made of their names.
const FAMILIES: &[&[Server]] = &[
    &[("raw-epoll", raw_epoll::serve), ("hand-over/condvar", hand_over::condvar)],
    glib::SERVERS,
    &[("qt", qt::serve), ("sdl", sdl::serve), ("winit", winit::serve)],
    &[("mio", mio::serve), ("polling", polling::serve), ("calloop", calloop::serve)],
    &[("tokio", tokio::serve), ("smol", smol::serve)],
];

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
