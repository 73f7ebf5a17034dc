//! Counts the calls on the host's thread.

use std::fs;
use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::Thread;
use std::time::Instant;

/// What a call counts in. It lives as long as the process, so that no call pays for counting its owners.
pub(super) struct Tally {
    /// Written by the host's thread alone, and read by it: an atomic so that calls may carry a reference
    /// there. Relaxed: it orders nothing.
    sum: AtomicUsize,
    wanted: usize,
    ended: OnceLock<Instant>,
    waiting: Thread,
}

impl Tally {
    /// One that tells this thread when the sum is `wanted`.
    pub(super) fn new(wanted: usize) -> &'static Tally {
        let (sum, waiting) = (AtomicUsize::new(0), std::thread::current());
        Box::leak(Box::new(Tally { sum, wanted, ended: OnceLock::new(), waiting }))
    }

    pub(super) fn add(&self, one: usize) {
        let sum = self.sum.load(Ordering::Relaxed) + one;
        self.sum.store(sum, Ordering::Relaxed);
        if sum == self.wanted {
            self.ended.get_or_init(Instant::now);
            self.waiting.unpark();
        }
    }

    /// Sleeps until the sum is full, and tells when that was.
    pub(super) fn wait(&self) -> Instant {
        loop {
            if let Some(ended) = self.ended.get() {
                return *ended;
            }
            std::thread::park();
        }
    }
}

/// How often the calling thread has gone to sleep, by the kernel's count.
pub(super) fn sleeps() -> io::Result<u64> {
    let status = fs::read_to_string("/proc/thread-self/status")?;
    let count = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    let count = count.and_then(|count| count.trim().parse().ok());
    count.ok_or_else(|| io::Error::other("the kernel does not count how often a thread sleeps"))
}
