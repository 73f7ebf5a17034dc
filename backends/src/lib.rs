//! select, poll, epoll and kqueue behind one trait, for the interloop reactor.
//!
//! A backend is one file with a [`Poller`]; [`open`] makes it. Which of them are compiled is
//! decided in one table, in build.rs, by features and target; this file is the only one that asks
//! for the answer.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod kind;
#[doc(hidden)]
pub mod mailbox;
mod poller;
mod source;
mod sync;
mod types;

#[cfg(has_epoll)]
mod epoll;
#[cfg(feature = "test-util")]
pub mod fake;
#[cfg(has_io_uring)]
mod io_uring;
#[cfg(has_kqueue)]
mod kqueue;
#[cfg(has_poll)]
mod poll;
#[cfg(has_polling)]
mod polling_crate;
#[cfg(has_select)]
mod select;

// What several of them share.
#[cfg(has_changes)]
mod changes;
#[cfg(has_own_wait)]
mod deadline;
#[cfg(has_notifier)]
mod notifier;
#[cfg(unix)]
mod poll_flags;
#[cfg(has_backend)]
mod refusal;
#[cfg(has_backend)]
mod registered;
#[cfg(has_set)]
mod set;

use std::io;
#[cfg(has_backend)]
use std::sync::Arc;

pub use kind::BackendKind;
pub use poller::Poller;
pub use source::{AsSource, BorrowedSource, is_ready, look, source_number};
pub use types::{Event, Interest, Kept, Key, Mode, Readiness, Release};

#[cfg(not(any(
    feature = "epoll",
    feature = "io_uring",
    feature = "kqueue",
    feature = "polling",
    feature = "poll",
    feature = "select",
    feature = "test-util"
)))]
compile_error!(
    "interloop has no backend: switch on one of the features `epoll` (Linux), `kqueue` \
     (macOS, BSD; Linux with `libkqueue`), `poll` (every Unix), `select` (every Unix but illumos \
     and Solaris), `polling` (every 64-bit target, and the only one on Windows). All of them are default features"
);

/// Opens a backend.
///
/// # Errors
///
/// `Unsupported` where it is not compiled in, or the target does not have it; otherwise what the
/// operating system said.
pub fn open(kind: BackendKind) -> io::Result<std::sync::Arc<dyn Poller>> {
    open_bare(kind).map_err(|error| match error.kind() {
        io::ErrorKind::Unsupported => error,
        _ => {
            let message = format!(
                "{kind} backend: cannot open: {error}; it needs a few descriptors of the process's \
                 limit (RLIMIT_NOFILE)"
            );
            io::Error::new(error.kind(), message)
        }
    })
}

fn open_bare(kind: BackendKind) -> io::Result<std::sync::Arc<dyn Poller>> {
    match kind {
        #[cfg(has_epoll)]
        BackendKind::Epoll => Ok(Arc::new(epoll::Epoll::open()?)),
        #[cfg(has_io_uring)]
        BackendKind::IoUring => Ok(Arc::new(io_uring::Uring::open()?)),
        #[cfg(has_kqueue)]
        BackendKind::Kqueue => Ok(Arc::new(kqueue::Kqueue::open()?)),
        #[cfg(has_polling)]
        BackendKind::Polling => Ok(Arc::new(polling_crate::Polling::open()?)),
        #[cfg(has_poll)]
        BackendKind::Poll => Ok(Arc::new(set::SetPoller::<poll::Poll>::open()?)),
        #[cfg(has_select)]
        BackendKind::Select => Ok(Arc::new(set::SetPoller::<select::Select>::open()?)),
        _ => Err(io::Error::new(io::ErrorKind::Unsupported, why_absent(kind))),
    }
}

fn why_absent(kind: BackendKind) -> String {
    let compiled = match kind {
        BackendKind::Fake => {
            return "the fake backend is not opened by its name: make one with Fake::new (feature \
                    `test-util`) and hand it over as a Poller (Builder::poller)"
                .to_owned();
        }
        BackendKind::Kqueue if cfg!(target_os = "linux") && !cfg!(feature = "libkqueue") => {
            return "the kqueue backend needs libkqueue on Linux: switch on the feature `libkqueue`"
                .to_owned();
        }
        BackendKind::Epoll => cfg!(feature = "epoll"),
        BackendKind::IoUring => cfg!(feature = "io_uring"),
        BackendKind::Kqueue => cfg!(feature = "kqueue"),
        BackendKind::Polling => cfg!(feature = "polling"),
        BackendKind::Poll => cfg!(feature = "poll"),
        BackendKind::Select => cfg!(feature = "select"),
    };
    if compiled {
        format!("the {kind} backend does not exist on this target")
    } else {
        format!("the {kind} backend is not compiled in: switch on the feature `{kind}`")
    }
}
