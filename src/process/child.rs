//! A child process, as the user holds it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::process::{ExitStatus, Output};
use std::rc::Rc;
use std::task::Poll;

use super::pipe::{PipeReader, PipeWriter};
use super::running::Running;
use crate::net::LocalBoxFuture;

/// A child process, from [`spawn`](super::spawn).
///
/// Dropping it closes its pipes and lets the process go on, unless
/// [`kill_on_drop`](Child::kill_on_drop) says otherwise; it leaves no zombie either way. In a forked
/// child it does nothing.
pub struct Child {
    /// The pipe to its standard input, where the command said `Stdio::piped()`.
    pub stdin: Option<PipeWriter>,
    /// The pipe from its standard output, where the command said `Stdio::piped()`.
    pub stdout: Option<PipeReader>,
    /// The pipe from its standard error, where the command said `Stdio::piped()`.
    pub stderr: Option<PipeReader>,
    running: Rc<Running>,
    kill_on_drop: bool,
}

impl Child {
    pub(super) fn new(running: Running) -> Child {
        let running = Rc::new(running);
        Child { stdin: None, stdout: None, stderr: None, running, kill_on_drop: false }
    }

    /// The number of the process. Once the child has been waited for, it may be another's.
    pub fn id(&self) -> u32 {
        self.running.id()
    }

    /// Says whether dropping the [`Child`] kills the process. It does not, unless told so.
    pub fn kill_on_drop(mut self, kill: bool) -> Child {
        self.kill_on_drop = kill;
        self
    }

    /// Sends the process `SIGKILL`, and does not wait for it to end. One that has ended already is no
    /// error, and nothing is sent.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` when the process has taken another user's rights; `Unsupported` in a forked
    /// child.
    pub fn kill(&mut self) -> io::Result<()> {
        self.running.kill()
    }

    /// The exit status, if the process has ended; it does not wait.
    ///
    /// # Errors
    ///
    /// `NotFound` when somebody else has waited for the process, as a `waitpid` for all children does,
    /// or when the program ignores `SIGCHLD`; `Unsupported` in a forked child.
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        self.running.try_wait()
    }

    /// Waits until the process has ended. Before that, it closes [`stdin`](Child::stdin), if that is
    /// still here: a child that reads to the end of its input would never end.
    ///
    /// A child that fills a pipe that nobody reads does not end either. The future does not borrow:
    /// it waits on when the [`Child`] is dropped.
    ///
    /// # Errors
    ///
    /// As [`try_wait`](Child::try_wait); `NotConnected` once the reactor has closed its sources.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing. Any number of them may wait, one after the other or at a
    /// time, and all get the status, those too that begin when the process has ended.
    pub fn wait(&mut self) -> LocalBoxFuture<io::Result<ExitStatus>> {
        drop(self.stdin.take());
        let running = Rc::clone(&self.running);
        Box::pin(async move { running.wait().await })
    }

    /// Closes [`stdin`](Child::stdin), reads what comes out of the other pipes, both at a time, to
    /// their ends, and waits until the process has ended. What is not piped is empty in the answer.
    ///
    /// The pipes end when nobody has their other ends: a process that the child leaves behind may
    /// hold them open.
    ///
    /// # Errors
    ///
    /// As [`wait`](Child::wait), and what the operating system said of the pipes.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses what was read, and drops the [`Child`].
    pub fn wait_with_output(mut self) -> LocalBoxFuture<io::Result<Output>> {
        drop(self.stdin.take());
        Box::pin(async move {
            let (stdout, stderr) = (self.stdout.take(), self.stderr.take());
            let (stdout, stderr) = both(to_end(stdout), to_end(stderr)).await;
            let (stdout, stderr) = (stdout?, stderr?);
            Ok(Output { status: self.wait().await?, stdout, stderr })
        })
    }
}

async fn to_end(pipe: Option<PipeReader>) -> io::Result<Vec<u8>> {
    match pipe {
        Some(pipe) => pipe.read_to_end().await,
        None => Ok(Vec::new()),
    }
}

async fn both<A: Future, B: Future>(one: A, other: B) -> (A::Output, B::Output) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|cx| {
        if first.is_none() {
            if let Poll::Ready(output) = one.as_mut().poll(cx) {
                first = Some(output);
            }
        }
        if second.is_none() {
            if let Poll::Ready(output) = other.as_mut().poll(cx) {
                second = Some(output);
            }
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            half => {
                (first, second) = half;
                Poll::Pending
            }
        }
    })
    .await
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.kill_on_drop {
            // One that has other rights goes on.
            let _refused = self.running.kill();
        }
        self.running.leave();
    }
}

impl fmt::Debug for Child {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("id", &self.id())
            .field("kill_on_drop", &self.kill_on_drop)
            .finish_non_exhaustive()
    }
}
