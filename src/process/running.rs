//! A process that was started, until it has been waited for.
//!
//! Its number is ours while nobody has waited for it, and may be anybody's afterwards. So only this
//! file waits and kills; it asks for the end first, and never again once it has come.

use std::cell::{Cell, RefCell};
use std::io;
use std::process::{Child as StdChild, ExitStatus};
use std::rc::Rc;

use rustix::io::Errno;
use rustix::process::{Pid, WaitOptions, waitpid};

use super::exit::Exit;
use crate::async_object::Async;
use crate::core::Core;
use crate::handle::Handle;
use crate::label::Label;
use crate::pool::run;

pub(super) struct Running {
    core: Rc<Core>,
    label: Label,
    /// Keeps the status once it has been waited for.
    child: RefCell<StdChild>,
    /// Somebody else has waited for it.
    lost: Cell<bool>,
    /// Readable when the process has ended.
    exit: Async<Exit>,
}

impl Running {
    /// Watches a child. One that cannot be watched is killed.
    pub(super) fn new(handle: &Handle, child: StdChild, label: Label) -> io::Result<Running> {
        let pid = pid(&child);
        Running::watched(handle, child, label, Exit::watch(pid))
    }

    fn watched(
        handle: &Handle,
        mut child: StdChild,
        label: Label,
        exit: io::Result<Exit>,
    ) -> io::Result<Running> {
        let register = |exit| Ok(Async::labelled(handle, exit, label.clone())?);
        match exit.and_then(register) {
            Ok(exit) => {
                let (child, lost) = (RefCell::new(child), Cell::new(false));
                Ok(Running { core: Rc::clone(handle.core()), label, child, lost, exit })
            }
            Err(error) => {
                if matches!(child.try_wait(), Ok(None)) {
                    let _refused = child.kill();
                    reap(pid(&child));
                }
                Err(error)
            }
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.borrow().id()
    }

    pub(super) fn try_wait(&self) -> io::Result<Option<ExitStatus>> {
        self.core.shared.process.check()?;
        if self.lost.get() {
            return Err(self.waited_for_elsewhere());
        }
        let result = self.child.borrow_mut().try_wait();
        match result {
            Err(error) if Errno::from_io_error(&error) == Some(Errno::CHILD) => {
                self.lost.set(true);
                Err(self.waited_for_elsewhere())
            }
            result => result,
        }
    }

    pub(super) async fn wait(&self) -> io::Result<ExitStatus> {
        // A status that is here is given even where the reactor is gone.
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        self.exit.read_with(|_| self.try_wait()?.ok_or(io::ErrorKind::WouldBlock.into())).await
    }

    pub(super) fn kill(&self) -> io::Result<()> {
        match self.try_wait() {
            Ok(None) => self.exit.get_ref().kill(&mut self.child.borrow_mut()),
            Ok(Some(_)) => Ok(()),
            Err(_) if self.lost.get() => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Nobody holds the child: the reactor waits for it.
    pub(super) fn leave(self: &Rc<Running>) {
        if self.is_left_to_wait_for() {
            let running = Rc::clone(self);
            let wait = async move { drop(running.wait().await) };
            self.core.spawn(wait, self.label.clone()).detach();
        }
    }

    fn is_left_to_wait_for(&self) -> bool {
        matches!(self.try_wait(), Ok(None))
    }

    fn waited_for_elsewhere(&self) -> io::Error {
        let id = self.id();
        let message = format!(
            "the status of child process {id} is lost: something else in this process has waited \
             for it, or SIGCHLD is ignored"
        );
        io::Error::new(io::ErrorKind::NotFound, message)
    }
}

impl Drop for Running {
    /// The last one goes with the tasks of a reactor that ends, or later.
    fn drop(&mut self) {
        if self.is_left_to_wait_for() {
            reap(pid(&self.child.borrow()));
        }
    }
}

/// Waits for a child on the thread pool.
fn reap(pid: Pid) {
    let wait =
        move || while matches!(waitpid(Some(pid), WaitOptions::empty()), Err(Errno::INTR)) {};
    // Without a thread it stays a zombie.
    let _refused = run(wait);
}

fn pid(child: &StdChild) -> Pid {
    let id = child.id().try_into().ok();
    id.and_then(Pid::from_raw).expect("a process has a positive number")
}

#[cfg(all(test, not(interloop_loom)))]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::reactor::Reactor;

    /// As with every child that is short where `SIGCHLD` is ignored.
    #[cfg(target_os = "linux")]
    #[test]
    fn one_that_somebody_has_waited_for_is_lost_and_not_refused() {
        let reactor = Reactor::new().unwrap();
        let child = Command::new("true").spawn().unwrap();
        waitpid(Some(pid(&child)), WaitOptions::empty()).unwrap();
        let running = Running::new(&reactor, child, Label::caller()).unwrap();
        let error = reactor.block_on(running.wait()).unwrap().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
        running.kill().unwrap();
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn where_there_is_no_pidfd_the_pool_waits() {
        let reactor = Reactor::new().unwrap();
        let mut command = Command::new("sh");
        command.args(["-c", "read line; exit 7"]).stdin(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let exit = Exit::watch_on_the_pool(pid(&child));
        let running = Running::watched(&reactor, child, Label::caller(), exit).unwrap();
        assert_eq!(running.try_wait().unwrap(), None);
        drop(stdin);
        let status = reactor.block_on(running.wait()).unwrap().unwrap();
        assert_eq!(status.code(), Some(7));
        assert_eq!(running.try_wait().unwrap(), Some(status));
        running.kill().unwrap();
    }
}
