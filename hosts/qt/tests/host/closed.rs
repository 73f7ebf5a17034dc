//! A descriptor that is closed behind the reactor's back.
#![allow(unsafe_code)]

use std::future::pending;
use std::io::{self, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;

use interloop::testing::{Host, Kit};
use interloop::{Action, Interest, Reactor};
use interloop_qt::attach;
use interloop_qt_widgets::{self as widgets, Application};

/// Adds the case, in the environment of this host.
pub fn add<H: Host>(kit: Kit) -> Kit {
    kit.case::<H>("a_set_that_was_renewed_is_heard", a_set_that_was_renewed_is_heard)
}

/// A number that somebody else closes.
struct Foreign(RawFd);

impl AsFd for Foreign {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: nothing is done with it but what the reactor does with the descriptors of its sources, and that it
        // finds this one closed is what the case is about.
        unsafe { BorrowedFd::borrow_raw(self.0) }
    }
}

/// epoll goes on to report a descriptor that was closed while a duplicate is ready, until its set has another in its
/// place, under the number that Qt watches.
fn a_set_that_was_renewed_is_heard() -> io::Result<()> {
    let _application = Application::core();
    let reactor = Reactor::new()?;
    let _attached = attach(&reactor)?;
    let (near, mut far) = UnixStream::pair()?;
    let _duplicate = near.try_clone()?;
    let (tell, lost) = async_channel::unbounded();
    let source =
        reactor.register(Foreign(near.as_raw_fd()), Interest::READABLE, move |_, readiness| {
            if readiness.is_invalid() {
                tell.try_send(()).expect("it has room");
            }
            Action::Rearm
        });
    let source = source?;
    let handle = reactor.handle();
    let script = async move {
        drop(near);
        far.write_all(b"a").expect("its duplicate is open");
        lost.recv().await.expect("its callback lives");
        // Its number is free again.
        drop(source);
        let (near, mut far) = UnixStream::pair().expect("a pair");
        let quits = move |_: &UnixStream, _| {
            widgets::quit();
            Action::Remove
        };
        handle.register(near, Interest::READABLE, quits).expect("registered").detach();
        far.write_all(b"a").expect("it is open");
        pending::<()>().await
    };
    reactor.spawn_local(script).detach();
    widgets::exec();
    Ok(())
}
