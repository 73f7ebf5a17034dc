//! macOS and the BSDs: a queue with one `EVFILT_PROC` event, which is never taken out. A queue that
//! holds an event is readable.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::ptr;

use rustix::event::Timespec;
use rustix::event::kqueue::{
    Event, EventFilter, EventFlags, ProcessEvents, kevent_timespec, kqueue,
};
use rustix::io::Errno;
use rustix::process::Pid;

pub(in crate::process) struct Exit(OwnedFd);

impl Exit {
    pub(in crate::process) fn watch(pid: Pid) -> io::Result<Exit> {
        let queue = kqueue()?;
        rustix::io::fcntl_setfd(&queue, rustix::io::FdFlags::CLOEXEC)?;
        let filter = EventFilter::Proc { pid, flags: ProcessEvents::EXIT };
        let change = [Event::new(filter, EventFlags::ADD, ptr::null_mut())];
        let now = Some(&Timespec { tv_sec: 0, tv_nsec: 0 });
        // SAFETY: the change names a process and no descriptor.
        match unsafe { kevent_timespec(&queue, &change, &mut [] as &mut [Event], now) } {
            Ok(_) => Ok(Exit(queue)),
            // Some kernels do not find a process that has ended and was not waited for.
            Err(Errno::SRCH) => {
                let (readable, _closed) = UnixStream::pair()?;
                Ok(Exit(readable.into()))
            }
            Err(errno) => Err(errno.into()),
        }
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
