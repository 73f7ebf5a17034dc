//! Everywhere: a thread of the pool waits for the end, leaves the status where it is, and makes a
//! socket readable.

use std::io;
use std::net::Shutdown;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::process::Child;

use rustix::io::Errno;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

use crate::pool::run;

pub(in crate::process) struct Exit(UnixStream);

impl Exit {
    pub(in crate::process) fn watch(pid: Pid) -> io::Result<Exit> {
        let (told, tell) = UnixStream::pair()?;
        let wait = move || {
            // When the host thread was faster, the number may be that of a later child. That one's
            // status is left alone too, and nobody listens any more.
            let end = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT;
            while matches!(waitid(WaitId::Pid(pid), end), Err(Errno::INTR)) {}
            // A forked child may hold a copy: closing it would tell nothing.
            let _closed = tell.shutdown(Shutdown::Both);
        };
        // No shutdown waits for it, as it would for `Handle::unblock`.
        run(wait)?;
        Ok(Exit(told))
    }

    pub(in crate::process) fn kill(&self, child: &mut Child) -> io::Result<()> {
        child.kill()
    }
}

impl AsFd for Exit {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
