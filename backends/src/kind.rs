//! Which backends there are, and which open here.

use std::fmt;
use std::io;
use std::str::FromStr;

/// The name of a backend. Every name exists on every platform;
/// [`available`](BackendKind::available) says which open here.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[non_exhaustive]
pub enum BackendKind {
    /// `epoll`, of Linux.
    Epoll,
    /// `io_uring`, of Linux 6.1.
    IoUring,
    /// `kqueue`, of macOS and the BSDs; on Linux over libkqueue.
    Kqueue,
    /// The crate `polling`, for Windows (IOCP) and illumos (ports), and for comparison elsewhere.
    Polling,
    /// `poll`, of every Unix.
    Poll,
    /// `select`, of every Unix but illumos and Solaris.
    Select,
    /// The scripted backend without system calls, for tests.
    Fake,
}

impl BackendKind {
    /// Every backend that the operating system can offer, best first.
    pub const ALL: [BackendKind; 6] = [
        BackendKind::Epoll,
        BackendKind::IoUring,
        BackendKind::Kqueue,
        BackendKind::Polling,
        BackendKind::Poll,
        BackendKind::Select,
    ];

    /// The backends that open here, best first. Each is opened once to find out: a process that has
    /// no descriptor left finds none.
    pub fn available() -> Vec<BackendKind> {
        BackendKind::ALL.into_iter().filter(|&kind| crate::open(kind).is_ok()).collect()
    }

    /// The name that [`FromStr`] and `INTERLOOP_BACKEND` take, and [`Display`](fmt::Display)
    /// writes.
    pub const fn name(self) -> &'static str {
        match self {
            BackendKind::Epoll => "epoll",
            BackendKind::IoUring => "io_uring",
            BackendKind::Kqueue => "kqueue",
            BackendKind::Polling => "polling",
            BackendKind::Poll => "poll",
            BackendKind::Select => "select",
            BackendKind::Fake => "fake",
        }
    }
}

impl fmt::Display for BackendKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for BackendKind {
    type Err = io::Error;

    fn from_str(name: &str) -> io::Result<BackendKind> {
        let known = |kind: &BackendKind| kind.name() == name;
        BackendKind::ALL.into_iter().find(known).ok_or_else(|| {
            let names = BackendKind::ALL.map(BackendKind::name).join(", ");
            let message = format!("there is no backend named {name:?}; there are {names}");
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back() {
        for kind in BackendKind::ALL {
            assert_eq!(kind.to_string().parse::<BackendKind>().unwrap(), kind);
        }
        let error = "kpoll".parse::<BackendKind>().unwrap_err();
        assert!(
            error.to_string().contains("\"kpoll\"; there are epoll, io_uring, kqueue"),
            "{error}"
        );
    }
}
