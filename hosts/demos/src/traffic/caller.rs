//! A thread that makes calls, some at a time.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{hint, thread};

use interloop::Handle;

/// How many times in a second the thread gets up.
const BURSTS: u32 = 100;

/// The thread, which ends when this is dropped.
pub(super) struct Caller {
    /// Its end is what the thread waits for.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Caller {
    pub(super) fn start(handle: &Handle, calls: u32) -> Caller {
        let (end, ended) = mpsc::channel::<()>();
        let remote = handle.remote();
        let thread = thread::spawn(move || {
            let mut next = Instant::now();
            let mut owed = 0;
            loop {
                owed += calls;
                for _ in 0..owed / BURSTS {
                    if remote.call(|| hint::black_box(())).is_err() {
                        return;
                    }
                }
                owed %= BURSTS;
                // What the machine could not do in time is not made good.
                next = (next + Duration::from_secs(1) / BURSTS).max(Instant::now());
                let rest = next.saturating_duration_since(Instant::now());
                if ended.recv_timeout(rest) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        });
        Caller { end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.end.take();
        // It never waits for the thread of the reactor, which this is.
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}
