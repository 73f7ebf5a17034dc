//! Interloop itself: each backend, in each drive, in each host.

use std::io;

use interloop::{BackendKind, Handle, Reactor};

use super::{condvar, glib, left_out, poll, qt, sdl, unknown, winit};

/// Joins a reactor to a host, and runs that until the reactor has stopped.
type Host = fn(&Reactor, Drive) -> io::Result<()>;

/// The hosts that post what a worker tells them.
const WITH_A_WORKER: &[(&str, Host)] = &[
    ("condvar", condvar::host),
    ("glib", glib::host),
    ("qt", qt::host),
    ("sdl", sdl::host),
    ("winit", winit::host),
];
/// The hosts that watch a descriptor.
const WITH_A_DESCRIPTOR: &[(&str, Host)] =
    &[("poll", poll::host), ("glib", glib::host), ("qt", qt::host)];
/// The hosts that are run with epoll only: with the others, what differs is the backend and not the host.
const WITH_EPOLL_ONLY: [&str; 2] = ["sdl", "winit"];
/// The backends that have one.
const EMBEDDABLE: [BackendKind; 2] = [BackendKind::Epoll, BackendKind::Kqueue];

/// Who runs the turns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Drive {
    Worker,
    Embed,
    Run,
}

impl Drive {
    const ALL: [Drive; 3] = [Drive::Worker, Drive::Embed, Drive::Run];

    fn name(self) -> &'static str {
        match self {
            Drive::Worker => "worker",
            Drive::Embed => "embed",
            Drive::Run => "run",
        }
    }

    fn hosts(self) -> &'static [(&'static str, Host)] {
        match self {
            Drive::Worker => WITH_A_WORKER,
            Drive::Embed => WITH_A_DESCRIPTOR,
            Drive::Run => &[("own", own)],
        }
    }
}

/// A reactor in a host: `interloop/BACKEND/DRIVE/HOST`.
pub(crate) struct Ours {
    backend: BackendKind,
    drive: Drive,
    host: Host,
}

impl Ours {
    /// The names of all there are, whether or not they open here.
    pub(crate) fn everywhere() -> Vec<String> {
        BackendKind::ALL.into_iter().flat_map(Ours::with).collect()
    }

    /// The names of all those with this backend.
    pub(crate) fn with(backend: BackendKind) -> Vec<String> {
        let can = |drive: &Drive| *drive != Drive::Embed || EMBEDDABLE.contains(&backend);
        let drives = Drive::ALL.into_iter().filter(can);
        let hosts = drives.flat_map(|drive| drive.hosts().iter().map(move |host| (drive, host.0)));
        let runs = |host: &str| backend == BackendKind::Epoll || !WITH_EPOLL_ONLY.contains(&host);
        let hosts = hosts.filter(|(_, host)| runs(host));
        hosts.map(|(drive, host)| format!("interloop/{backend}/{}/{host}", drive.name())).collect()
    }

    pub(crate) fn named(system: &str) -> io::Result<Ours> {
        Ours::parse(system).ok_or_else(|| unknown(system))
    }

    fn parse(system: &str) -> Option<Ours> {
        let mut words = system.strip_prefix("interloop/")?.split('/');
        let backend = words.next()?.parse().ok()?;
        let name = words.next()?;
        let drive = Drive::ALL.into_iter().find(|drive| drive.name() == name)?;
        let name = words.next()?;
        let (_, host) = drive.hosts().iter().find(|(host, _)| *host == name)?;
        words.next().is_none().then_some(Ours { backend, drive, host: *host })
    }

    /// Makes a reactor, lets `prepare` put work into it, and runs the host until the work has stopped the
    /// reactor. What was prepared is given back then.
    pub(crate) fn run<T>(&self, prepare: impl FnOnce(&Handle) -> io::Result<T>) -> io::Result<T> {
        let reactor = Reactor::builder().backend(self.backend).build().map_err(|error| {
            // One that can be had, and fails, is not left out.
            let is_here = BackendKind::available().contains(&self.backend);
            if is_here { error } else { left_out(&error.to_string()) }
        })?;
        let prepared = prepare(&reactor)?;
        (self.host)(&reactor, self.drive)?;
        Ok(prepared)
    }
}

/// The reactor's own loop.
fn own(reactor: &Reactor, _drive: Drive) -> io::Result<()> {
    reactor.run()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        let names = Ours::everywhere();
        for name in &names {
            assert!(Ours::parse(name).is_some(), "{name}");
        }
        for name in ["interloop/epoll/worker/condvar", "interloop/poll/run/own"] {
            assert!(names.iter().any(|known| known == name), "{name}");
        }
        for name in ["interloop/epoll/run/glib", "interloop/epoll", "raw-epoll"] {
            assert!(Ours::parse(name).is_none(), "{name}");
        }
    }
}
