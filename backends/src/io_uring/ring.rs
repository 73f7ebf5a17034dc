//! The ring itself, and the words that go through it.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd};
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
            Ok(ring) => Ok(Ring { ring, thread: thread::current().id() }),
            Err(error) => Err(refused(error)),
        }
    }

    pub(super) fn is_of_this_thread(&self) -> bool {
        self.thread == thread::current().id()
    }

    /// Watches the notifier for good, with edges.
    pub(super) fn watch(&mut self, notifier: BorrowedFd<'_>) -> io::Result<()> {
        let poll = opcode::PollAdd::new(Fd(notifier.as_raw_fd()), PollFlags::IN.bits().into());
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
        let poll = opcode::PollAdd::new(Fd(source.as_raw_fd()), flags.bits().into());
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
        passable(self.ring.submit())
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
        passable(match timeout {
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
        })
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
                    let flags = u16::try_from(entry.result())
                        .map(PollFlags::from_bits_retain)
                        .map_err(|_negative| Errno::from_raw_os_error(-entry.result()));
                    take(Answer::Polled { token: Token::from_bits(bits), result: flags, goes_on });
                }
            }
        }
    }
}

/// Errors of a call that has only come too early: what was submitted is submitted, and the rest follows.
fn passable(called: io::Result<usize>) -> io::Result<()> {
    match called {
        Ok(_) => Ok(()),
        Err(error) => match Errno::from_io_error(&error) {
            // The time has passed; a signal came; the answers want to be taken out first.
            Some(Errno::TIME | Errno::INTR | Errno::BUSY | Errno::AGAIN) => Ok(()),
            _ => Err(error),
        },
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
