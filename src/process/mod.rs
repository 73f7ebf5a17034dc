//! Child processes on the host thread: their pipes, and their end, as futures.
//!
//! A child is made from the standard library's [`Command`], which is used as it is:
//!
//! ```
//! use std::process::{Command, Stdio};
//!
//! use futures_lite::{AsyncReadExt, AsyncWriteExt};
//! use interloop::{Reactor, process};
//!
//! let reactor = Reactor::new()?;
//! let mut command = Command::new("cat");
//! command.stdin(Stdio::piped()).stdout(Stdio::piped());
//! let mut child = process::spawn(&reactor, &mut command)?.kill_on_drop(true);
//! let (status, text) = reactor.block_on(async move {
//!     let mut stdin = child.stdin.take().expect("it is piped");
//!     stdin.write_all(b"hello").await?;
//!     drop(stdin);
//!     let mut text = String::new();
//!     child.stdout.as_mut().expect("it is piped").read_to_string(&mut text).await?;
//!     std::io::Result::Ok((child.wait().await?, text))
//! })??;
//! assert!(status.success());
//! assert_eq!(text, "hello");
//! # std::io::Result::Ok(())
//! ```
//!
//! Without `async`, [`Handle::spawn_then`] takes what [`Child::wait`] and
//! [`Child::wait_with_output`] give:
//!
//! ```
//! use std::process::{Command, Stdio};
//!
//! use interloop::{Reactor, process};
//!
//! let reactor = Reactor::new()?;
//! let child = process::spawn(&reactor, Command::new("echo").arg("hello").stdout(Stdio::piped()))?;
//! let handle = reactor.handle();
//! let ended = reactor.spawn_then(child.wait_with_output(), move |output| {
//!     assert_eq!(output.expect("it ran").stdout, b"hello\n");
//!     handle.stop();
//! });
//! ended.detach();
//! reactor.run()?;
//! # std::io::Result::Ok(())
//! ```
//!
//! # How the end of a child is noticed
//!
//! On Linux by a pidfd that the reactor watches, on macOS and the BSDs by a queue with `EVFILT_PROC`.
//! Where the kernel has no pidfd, or a sandbox refuses it, a thread of the pool waits. No handler of
//! `SIGCHLD` is installed, and nobody else's child is waited for. The crate `async-process` notices
//! it on a reactor thread of its own, which would wake tasks from there.
//!
//! # No zombies
//!
//! A [`Child`] that is dropped before it has ended goes on by itself, unless
//! [`kill_on_drop`](Child::kill_on_drop) says otherwise. The reactor waits for it in a task of its
//! own, as long as somebody drives it; once it has shut down, which a child does not hold up, a thread
//! of the pool does, one for each such child.

mod child;
mod exit;
mod pipe;
mod running;

use std::fmt;
use std::io;
use std::path::Path;
use std::process::Command;

pub use child::Child;
pub use pipe::{PipeReader, PipeWriter};
use running::Running;

use crate::handle::Handle;
use crate::label::Label;
use crate::net::Context;

/// Starts a child process. What the command has as `Stdio::piped()` becomes a pipe of the
/// [`Child`]; everything else is as in [`Command::spawn`], which this calls, and which returns when
/// the program has begun.
///
/// # Errors
///
/// What [`Command::spawn`] said, with the program: `NotFound` where there is none, `PermissionDenied`
/// for one that is not executable. `NotConnected` when the reactor has closed its sources. What
/// [`Async::new`](crate::Async::new) said of a pipe: the child was killed then.
#[track_caller]
pub fn spawn(handle: &Handle, command: &mut Command) -> io::Result<Child> {
    let label = Label::caller();
    handle.check_sources()?;
    let mut child = command
        .spawn()
        .map_err(|error| Context::add(format_args!("start {}", Program(command)), error))?;
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let watch = |error| Context::add(format_args!("watch {}", Program(command)), error);
    let running = Running::new(handle, child, label.clone()).map_err(watch)?;
    // Until the child is whole, an error kills it.
    let mut child = Child::new(running).kill_on_drop(true);
    let write = |pipe| PipeWriter::new(handle, pipe, label.clone()).map_err(watch);
    let read = |pipe| PipeReader::new(handle, pipe, label.clone()).map_err(watch);
    child.stdin = stdin.map(|pipe| write(pipe.into())).transpose()?;
    child.stdout = stdout.map(|pipe| read(pipe.into())).transpose()?;
    child.stderr = stderr.map(|pipe| read(pipe.into())).transpose()?;
    Ok(child.kill_on_drop(false))
}

/// The program of a command, and where it is to run, for messages.
struct Program<'a>(&'a Command);

impl fmt::Display for Program<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Path::new(self.0.get_program()).display().fmt(f)?;
        match self.0.get_current_dir() {
            Some(folder) => write!(f, " in {}", folder.display()),
            None => Ok(()),
        }
    }
}
