//! What the threads of this process have done, as the kernel counts it.

use std::fs;
use std::io;
use std::time::Duration;

use rustix::thread::gettid;

/// What threads have used so far, or in a while.
pub(super) struct Usage {
    /// How often one of them has gone to sleep. One that sleeps the whole while does not.
    pub(super) wakes: u64,
    pub(super) cpu: Duration,
}

impl Usage {
    /// What all threads but this one have used.
    pub(super) fn of_others() -> io::Result<Usage> {
        let own = gettid().as_raw_nonzero().to_string();
        let mut usage = Usage { wakes: 0, cpu: Duration::ZERO };
        for thread in fs::read_dir("/proc/self/task")? {
            let thread = thread?;
            if thread.file_name().to_str() == Some(&own) {
                continue;
            }
            let read = |file| fs::read_to_string(thread.path().join(file));
            usage.wakes += sleeps(&read("status")?).ok_or_else(|| unreadable("status"))?;
            usage.cpu += ran(&read("schedstat")?).ok_or_else(|| unreadable("schedstat"))?;
        }
        Ok(usage)
    }

    pub(super) fn since(&self, before: &Usage) -> Usage {
        // A thread that has ended meanwhile takes what it had used with it.
        Usage {
            wakes: self.wakes.saturating_sub(before.wakes),
            cpu: self.cpu.saturating_sub(before.cpu),
        }
    }
}

fn sleeps(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"));
    line?.trim().parse().ok()
}

/// The first number is the time on a processor, in nanoseconds.
fn ran(schedstat: &str) -> Option<Duration> {
    Some(Duration::from_nanos(schedstat.split_whitespace().next()?.parse().ok()?))
}

fn unreadable(file: &str) -> io::Error {
    io::Error::other(format!("/proc/self/task/*/{file} is not what it is known to be"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_writes_is_read() {
        let status = "Name:\tcat\nvoluntary_ctxt_switches:\t17\nnonvoluntary_ctxt_switches:\t4\n";
        assert_eq!(sleeps(status), Some(17));
        assert_eq!(sleeps("Name:\tcat\n"), None);
        assert_eq!(ran("1500 30 2\n"), Some(Duration::from_nanos(1500)));
        assert_eq!(ran(""), None);
    }
}
