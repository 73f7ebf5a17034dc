//! The threads for what blocks: those of the crate `blocking`, in the process that began.
//!
//! A forked child has the counts of that pool and not its threads, and perhaps its lock for ever: what it queued
//! there would never begin. So it starts a thread for each closure.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread;

use super::outcome::Outcome;
use crate::fork::Process;

/// Runs `work`, which does not panic, on a thread. No shutdown waits for it.
///
/// # Errors
///
/// In a forked child, what the operating system said when it had no thread left.
#[cfg(feature = "net")]
pub(crate) fn run(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    if Process::current().is_forked() {
        return start(work);
    }
    blocking::unblock(work).detach();
    Ok(())
}

/// Runs `f` on a thread, and gives its result. A panic goes to whoever awaits it, as does the lack of a thread.
pub(crate) fn unblock<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> impl Future<Output = T> {
    let work = if Process::current().is_forked() {
        Work::Own(unblock_on_its_own(f))
    } else {
        Work::Pool(blocking::unblock(f))
    };
    async move {
        match work {
            Work::Pool(task) => task.await,
            Work::Own(outcome) => outcome.take().await.unwrap_or_else(|panic| resume_unwind(panic)),
        }
    }
}

enum Work<T> {
    Pool(blocking::Task<T>),
    Own(Arc<Outcome<thread::Result<T>>>),
}

fn unblock_on_its_own<T: Send + 'static>(
    f: impl FnOnce() -> T + Send + 'static,
) -> Arc<Outcome<thread::Result<T>>> {
    let outcome = Arc::new(Outcome::new());
    let put = Arc::clone(&outcome);
    if let Err(error) = start(move || put.put(catch_unwind(AssertUnwindSafe(f)))) {
        outcome.put(Err(Box::new(error.to_string())));
    }
    outcome
}

fn start(work: impl FnOnce() + Send + 'static) -> io::Result<()> {
    let thread = thread::Builder::new().name("interloop-block".into());
    // The kind of the system's error is that of an operation which would block.
    let explain = |error| io::Error::other(format!("start a thread for what blocks: {error}"));
    thread.spawn(work).map(drop).map_err(explain)
}
