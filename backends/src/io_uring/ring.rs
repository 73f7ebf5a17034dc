//! The ring itself, and the words that go through it.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::thread::{self, ThreadId};
use std::time::Duration;

use io_uring::types::{Fd, SubmitArgs, Timespec};
use io_uring::{IoUring, cqueue, opcode, squeue};
use rustix::event::PollFlags;
use rustix::io::Errno;

use crate::deadline::timespec;

/// How many requests go to the kernel at once.
const REQUESTS: u32 = 256;
/// How many answers may lie in the ring. The kernel keeps what is above that, at a price.
const ANSWERS: u32 = 4096;

/// The name of the request that watches the notifier.
const NOTIFIER: u64 = u64::MAX;
/// The name of requests whose answer says nothing. No slot has so high a number, so that no token is one of these.
const NOTHING: u64 = u64::MAX - 1;

/// The name of a poll request: where its registration is, and which of its requests this is, so that an
/// answer to one that was cancelled is known for what it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Token {
    pub(super) slot: u32,
    pub(super) number: u32,
}

impl Token {
    fn to_bits(self) -> u64 {
        (self.slot as u64) << 32 | self.number as u64
    }

    fn from_bits(bits: u64) -> Token {
        Token { slot: (bits >> 32) as u32, number: bits as u32 }
    }
}

/// What came out of the ring.
pub(super) enum Answer {
    Notified {
        /// Whether the request is still there.
        goes_on: bool,
    },
    Polled {
        token: Token,
        result: Result<PollFlags, Errno>,
        goes_on: bool,
    },
}

/// A ring, and the thread that it belongs to.
pub(super) struct Ring {
    ring: IoUring,
    thread: ThreadId,
    patience: Patience,
}

impl AsFd for Ring {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open as long as the ring.
        unsafe { BorrowedFd::borrow_raw(self.ring.as_raw_fd()) }
    }
}

impl Ring {
    /// Makes a ring for this thread.
    ///
    /// # Errors
    ///
    /// `Unsupported` where the kernel is too old or io_uring is switched off; otherwise what it said.
    pub(super) fn open() -> io::Result<Ring> {
        let mut builder = IoUring::builder();
        builder.setup_single_issuer().setup_defer_taskrun().setup_taskrun_flag();
        // One request that fails is no reason to leave the others.
        builder.setup_submit_all().setup_cqsize(ANSWERS);
        match builder.build(REQUESTS) {
            Ok(ring) => {
                let thread = thread::current().id();
                Ok(Ring { ring, thread, patience: Patience::default() })
            }
            Err(error) => Err(refused(error)),
        }
    }

    pub(super) fn is_of_this_thread(&self) -> bool {
        self.thread == thread::current().id()
    }

    /// Watches the notifier for good, with edges.
    pub(super) fn watch(&mut self, notifier: BorrowedFd<'_>) -> io::Result<()> {
        let poll = opcode::PollAdd::new(Fd(notifier.as_raw_fd()), asked(PollFlags::IN.bits()));
        self.push(&poll.multi(true).build().user_data(NOTIFIER))
    }

    /// Polls `source` once, or with edges.
    pub(super) fn poll(
        &mut self,
        source: BorrowedFd<'_>,
        flags: PollFlags,
        edges: bool,
        token: Token,
    ) -> io::Result<()> {
        let poll = opcode::PollAdd::new(Fd(source.as_raw_fd()), asked(flags.bits()));
        self.push(&poll.multi(edges).build().user_data(token.to_bits()))
    }

    /// Ends a poll. It may have been answered before.
    pub(super) fn cancel(&mut self, token: Token) -> io::Result<()> {
        self.push(&opcode::PollRemove::new(token.to_bits()).build().user_data(NOTHING))
    }

    fn push(&mut self, request: &squeue::Entry) -> io::Result<()> {
        loop {
            // SAFETY: poll requests and their removal point to no memory. The descriptor of one is open,
            // or else the kernel answers that it is not.
            if unsafe { self.ring.submission().push(request) }.is_ok() {
                return Ok(());
            }
            self.submit()?;
        }
    }

    /// Hands the requests to the kernel.
    pub(super) fn submit(&mut self) -> io::Result<()> {
        let called = self.ring.submit();
        self.patience.with(called)
    }

    /// Hands the requests to the kernel, and has it do what they have left to do on this thread: a request that
    /// was cancelled holds on to its file until then.
    pub(super) fn settle(&mut self) -> io::Result<()> {
        self.submit()?;
        self.wait(Some(Duration::ZERO))
    }

    /// Hands the requests to the kernel, and waits for an answer, at most for `timeout`. It may return
    /// early with nothing.
    pub(super) fn wait(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        let called = match timeout {
            None => self.ring.submit_and_wait(1),
            // All that there is lies in the shared memory.
            Some(Duration::ZERO) if self.is_up_to_date() => Ok(0),
            Some(Duration::ZERO) => self.ring.submit(),
            Some(timeout) => {
                let timeout = timespec(timeout);
                let timeout =
                    Timespec::new().sec(timeout.tv_sec as u64).nsec(timeout.tv_nsec as u32);
                let arguments = SubmitArgs::new().timespec(&timeout);
                self.ring.submitter().submit_with_args(1, &arguments)
            }
        };
        self.patience.with(called)
    }

    /// True when the kernel has neither requests to take nor answers to give.
    fn is_up_to_date(&mut self) -> bool {
        let requests = self.ring.submission();
        requests.is_empty() && !requests.taskrun() && !requests.cq_overflow()
    }

    /// Takes out what was answered.
    pub(super) fn answers(&mut self, mut take: impl FnMut(Answer)) {
        for entry in self.ring.completion() {
            let goes_on = cqueue::more(entry.flags());
            match entry.user_data() {
                NOTHING => {}
                NOTIFIER => take(Answer::Notified { goes_on }),
                bits => {
                    let flags = (entry.result().try_into())
                        .map(PollFlags::from_bits_retain)
                        .map_err(|_negative| Errno::from_raw_os_error(-entry.result()));
                    take(Answer::Polled { token: Token::from_bits(bits), result: flags, goes_on });
                }
            }
        }
    }
}

/// The flags of a poll as a request has them. Their own type is another where rustix is built upon libc.
fn asked(bits: impl TryInto<u32>) -> u32 {
    bits.try_into().unwrap_or_else(|_| unreachable!("no flag is negative"))
}

/// How often in a row the kernel has refused to take requests.
#[derive(Default)]
struct Patience {
    refusals: u32,
}

impl Patience {
    /// Refusals that are followed by another try at once: to take the answers out may be all that is missing.
    const AT_ONCE: u32 = 3;
    /// Refusals before which there is a pause each, twice as long as the one before; one second in all.
    const WITH_A_PAUSE: u32 = 10;

    /// Passes over the error of a call that has only come too early: what was submitted is submitted, and the rest
    /// follows. The kernel may refuse for want of memory, and that may last: then it is an error after all.
    fn with(&mut self, called: io::Result<usize>) -> io::Result<()> {
        let Err(error) = called else {
            self.refusals = 0;
            return Ok(());
        };
        match Errno::from_io_error(&error) {
            // The time has passed, or a signal came.
            Some(Errno::TIME | Errno::INTR) => Ok(()),
            Some(Errno::BUSY | Errno::AGAIN) => self.refused(error),
            _ => Err(error),
        }
    }

    fn refused(&mut self, error: io::Error) -> io::Result<()> {
        let pauses = self.refusals.saturating_sub(Self::AT_ONCE);
        if pauses >= Self::WITH_A_PAUSE {
            let message = format!(
                "io_uring backend: for a second, the kernel has taken no request: {error}; it may be out of memory; \
                 use epoll"
            );
            return Err(io::Error::new(error.kind(), message));
        }
        if self.refusals >= Self::AT_ONCE {
            thread::sleep(Duration::from_millis(1 << pauses));
        }
        self.refusals += 1;
        Ok(())
    }
}

fn refused(error: io::Error) -> io::Error {
    let why = match Errno::from_io_error(&error) {
        Some(Errno::NOSYS) => "this kernel has no io_uring",
        Some(Errno::INVAL) => "its rings for one thread need Linux 6.1",
        Some(Errno::PERM | Errno::ACCESS) => {
            "io_uring is not allowed here (a sandbox, or the sysctl kernel.io_uring_disabled)"
        }
        _ => return error,
    };
    let message = format!("the io_uring backend does not work here: {why}; use epoll");
    io::Error::new(io::ErrorKind::Unsupported, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refuse(patience: &mut Patience, errno: Errno) -> io::Result<()> {
        patience.with(Err(errno.into()))
    }

    #[test]
    fn a_refusal_that_passes_is_forgotten() {
        let mut patience = Patience::default();
        for _ in 0..100 {
            (0..=Patience::AT_ONCE).for_each(|_| refuse(&mut patience, Errno::BUSY).unwrap());
            patience.with(Ok(0)).unwrap();
        }
    }

    #[test]
    fn a_refusal_that_lasts_is_an_error_in_the_end() {
        let mut patience = Patience::default();
        let mut tries = 0;
        let error = loop {
            tries += 1;
            if let Err(error) = refuse(&mut patience, Errno::AGAIN) {
                break error;
            }
        };
        assert_eq!(tries, Patience::AT_ONCE + Patience::WITH_A_PAUSE + 1);
        assert!(error.to_string().contains("use epoll"), "{error}");
    }

    #[test]
    fn a_signal_and_a_timeout_are_no_refusals() {
        let mut patience = Patience::default();
        for errno in [Errno::INTR, Errno::TIME] {
            (0..100).for_each(|_| refuse(&mut patience, errno).unwrap());
        }
        assert_eq!(patience.refusals, 0);
    }
}
