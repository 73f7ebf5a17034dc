//! Signals.
#![allow(unsafe_code)]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::pairs::{Heard, echoing, pair, reader, script, write};
use crate::world::World;

/// How often the handler ran. Relaxed: for information.
static SIGNALS: AtomicU32 = AtomicU32::new(0);

extern "C" fn count(_signal: libc::c_int) {
    SIGNALS.fetch_add(1, Ordering::Relaxed);
}

/// Behaviour 19: a signal every millisecond, to every thread, none of which restarts system calls.
pub fn a_storm_of_signals_loses_nothing_and_hurries_nothing(world: &World) {
    // SAFETY: the action is zeroed but for its handler, which touches an atomic and nothing else,
    // and it has no flags, so that system calls are not restarted.
    unsafe {
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = count as extern "C" fn(libc::c_int) as usize;
        assert_eq!(libc::sigaction(libc::SIGUSR1, &action, std::ptr::null_mut()), 0);
    }
    let over = Arc::new(AtomicBool::new(false));
    let ends = Arc::clone(&over);
    let storm = std::thread::spawn(move || {
        while !ends.load(Ordering::Relaxed) {
            for thread in std::fs::read_dir("/proc/self/task").unwrap().flatten() {
                let Ok(thread) = thread.file_name().to_string_lossy().parse::<i32>() else {
                    continue;
                };
                // SAFETY: it takes numbers; a thread that has ended is an error, which is ignored.
                unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGUSR1) };
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    });
    let before = SIGNALS.load(Ordering::Relaxed);
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, echo) = pair();
            let echo = echoing(&reactor, echo);
            let (near, heard) = reader(&reactor, near);
            let ticked = Heard::new();
            let tell = ticked.clone();
            let every = reactor.every(Duration::from_millis(3), move || {
                tell.tell(());
                ControlFlow::Continue(())
            });
            for round in 0..50 {
                let set = Instant::now();
                let delay = Duration::from_micros(500 + 150 * round);
                reactor.sleep(delay).await;
                assert!(set.elapsed() >= delay, "{delay:?} took {:?}", set.elapsed());
                write(near.get_ref(), b"a");
                assert_eq!(heard.next().await, Some(b'a'));
            }
            ticked.take(5).await;
            while SIGNALS.load(Ordering::Relaxed) < before + 100 {
                reactor.sleep(Duration::from_millis(1)).await;
            }
            assert!(reactor.failure().is_none());
            drop((every, echo));
        }
    });
    over.store(true, Ordering::Relaxed);
    storm.join().unwrap();
}

/// A host that was not written in Rust does not ignore `SIGPIPE`, and would end by it.
#[cfg(feature = "net")]
pub fn a_write_that_nobody_reads_raises_no_signal(world: &World) {
    use std::future::poll_fn;
    use std::io::{self, ErrorKind, IoSlice, Read, Write};
    use std::os::fd::{AsFd, BorrowedFd};
    use std::pin::Pin;

    use futures_lite::{AsyncWrite, AsyncWriteExt};
    use interloop::net::{Stream, TcpListener, TcpStream, UnixStream};

    /// Writes as the standard library did before it thought of the signal.
    struct Plain(std::os::unix::net::UnixStream);

    impl AsFd for Plain {
        fn as_fd(&self) -> BorrowedFd<'_> {
            self.0.as_fd()
        }
    }

    impl Read for &Plain {
        fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
            (&self.0).read(bytes)
        }
    }

    impl Write for &Plain {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            Ok(rustix::io::write(self, bytes)?)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Writes to a peer that is gone, until the kernel knows.
    async fn write(mut to: impl AsyncWrite + Unpin) {
        loop {
            let whole = to.write(b"x").await;
            let parts = [IoSlice::new(b"x"), IoSlice::new(b"y")];
            let vectored = poll_fn(|cx| Pin::new(&mut to).poll_write_vectored(cx, &parts)).await;
            let gone = [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset];
            if [whole, vectored]
                .iter()
                .all(|end| end.as_ref().is_err_and(|error| gone.contains(&error.kind())))
            {
                return;
            }
        }
    }

    // SAFETY: neither action runs any code of ours.
    let before = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = UnixStream::pair(&reactor).unwrap();
            drop(far);
            write(near).await;
            let (near, far) = crate::pairs::pair();
            drop(far);
            write(Stream::new(&reactor, Plain(near)).unwrap()).await;
            let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
            let address = listener.local_addr().unwrap();
            let near = TcpStream::connect(&reactor, address).await.unwrap();
            drop(listener.accept().await.unwrap());
            write(near).await;
        }
    });
    // SAFETY: as above.
    unsafe { libc::signal(libc::SIGPIPE, before) };
}
