//! [`interloop`] in Qt's event loop, Qt 6 and Qt 5.
//!
//! [`attach`] is all that a program needs: it joins a reactor to the QCoreApplication of this thread (a
//! QApplication is one), and answers with a guard, [`Attached`]. [`waker`] is the raw hook, for
//! [`Handle::interleave`](interloop::Handle::interleave), for those who join start-up and shutdown
//! themselves.
//!
//! Who made the application does not matter: a binding such as `cxx-qt`, or a program in C++ with Rust
//! inside. This crate needs of Qt only QtCore, which its build script finds by pkg-config. Where both are
//! installed it takes Qt 6; `QT_VERSION_MAJOR=5` in the environment of the build takes Qt 5, as it does for
//! `cxx-qt`. A program has one Qt, and has to build this crate with the same.
//!
//! A callback that panics aborts the process, because nothing can unwind through Qt.

mod attached;
mod shim;

use interloop::Tick;

pub use attached::{Attached, Drive, attach};

/// A waker that posts to the event loop of this thread, that of the QCoreApplication or of a QThread,
/// which need not run yet. Call it on the thread of the reactor.
///
/// A tick is posted as an event to an object of our own, so that it is delivered in nested loops too, and
/// lost events are noticed. From the destruction of the application or `exit` on, posts fail, and the reactor
/// tries again from time to time until there is another application. The loop of a QThread says nothing before
/// it ends: [`hold`](interloop::WakerProxy::hold) the proxy there.
///
/// ```no_run
/// # let reactor = interloop::Reactor::new()?;
/// reactor.interleave(interloop_qt::waker())?;
/// # Ok::<(), std::io::Error>(())
/// ```
pub fn waker() -> impl Fn(Tick) + Send + Sync + 'static {
    let receiver = shim::Receiver::new();
    move |tick| receiver.post(tick)
}

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
