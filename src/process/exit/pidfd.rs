//! Linux: a pidfd is readable when its process has ended. It stands for the process and not for the
//! number, so that a kill through it never reaches another one.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::process::Child;

use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};

#[path = "pool.rs"]
mod pool;

pub(in crate::process) enum Exit {
    Process(OwnedFd),
    Pool(pool::Exit),
}

impl Exit {
    pub(in crate::process) fn watch(pid: Pid) -> io::Result<Exit> {
        match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(process) => Ok(Exit::Process(process)),
            // A kernel before 5.3, or a sandbox; or somebody else has waited for it, as the kernel does where
            // SIGCHLD is ignored, and whoever waits is told so.
            Err(Errno::NOSYS | Errno::PERM | Errno::INVAL | Errno::SRCH) => {
                Exit::watch_on_the_pool(pid)
            }
            Err(errno) => Err(errno.into()),
        }
    }

    pub(in crate::process) fn watch_on_the_pool(pid: Pid) -> io::Result<Exit> {
        Ok(Exit::Pool(pool::Exit::watch(pid)?))
    }

    pub(in crate::process) fn kill(&self, child: &mut Child) -> io::Result<()> {
        match self {
            Exit::Process(process) => match pidfd_send_signal(process, Signal::KILL) {
                // It has ended meanwhile, and SIGCHLD is ignored.
                Err(Errno::SRCH) => Ok(()),
                result => Ok(result?),
            },
            Exit::Pool(pool) => pool.kill(child),
        }
    }
}

impl AsFd for Exit {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Exit::Process(process) => process.as_fd(),
            Exit::Pool(pool) => pool.as_fd(),
        }
    }
}
