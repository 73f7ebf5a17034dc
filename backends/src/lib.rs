//! select, poll, epoll and kqueue behind one trait, for the interloop reactor.
//!
//! This file is the only one that asks which target and which features there are. A backend is one
//! file with a `Poller`; [`open`] makes it.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod kind;
#[doc(hidden)]
pub mod mailbox;
mod poller;
mod source;
mod sync;
mod types;

mod refusal;
mod registered;

#[cfg(unix)]
mod deadline;

#[cfg(all(feature = "epoll", any(target_os = "linux", target_os = "android")))]
mod epoll;

#[cfg(all(unix, feature = "poll"))]
mod poll;
#[cfg(all(unix, feature = "select"))]
mod select;
// What poll and select share.
#[cfg(all(unix, any(feature = "poll", feature = "select")))]
mod notifier;
#[cfg(all(unix, any(feature = "poll", feature = "select")))]
mod pollfd;
#[cfg(all(unix, any(feature = "poll", feature = "select")))]
mod set;
#[cfg(all(unix, any(feature = "poll", feature = "select")))]
mod set_poller;

use std::io;
use std::sync::Arc;

pub use kind::BackendKind;
pub use poller::Poller;
pub use source::{AsSource, BorrowedSource, source_number};
pub use types::{Event, Interest, Key, Readiness, Release};

/// Opens a backend.
///
/// # Errors
///
/// `Unsupported` where it is not compiled in, or the target does not have it; otherwise what the
/// operating system said.
pub fn open(kind: BackendKind) -> io::Result<Arc<dyn Poller>> {
    match kind {
        #[cfg(all(feature = "epoll", any(target_os = "linux", target_os = "android")))]
        BackendKind::Epoll => Ok(Arc::new(epoll::Epoll::open()?)),
        #[cfg(all(unix, feature = "poll"))]
        BackendKind::Poll => Ok(Arc::new(set_poller::SetPoller::<poll::Poll>::open()?)),
        #[cfg(all(unix, feature = "select"))]
        BackendKind::Select => Ok(Arc::new(set_poller::SetPoller::<select::Select>::open()?)),
        _ => {
            let message = format!("the {kind} backend is not available here");
            Err(io::Error::new(io::ErrorKind::Unsupported, message))
        }
    }
}
