//! A forked child has the reactor's memory and descriptors, and not its worker. Whatever it did
//! with them, it would do to the parent.
#![allow(unsafe_code)]

use std::io;

#[cfg(unix)]
mod imp {
    use std::sync::Once;
    use std::sync::atomic::{AtomicU32, Ordering};

    /// How often this process has forked away from the one that began. Written in a new child,
    /// while it has one thread. Relaxed: nobody writes beside a reader.
    static FORKS: AtomicU32 = AtomicU32::new(0);

    extern "C" fn forked() {
        FORKS.fetch_add(1, Ordering::Relaxed);
    }

    /// Counts the forks from here on.
    pub(super) fn begin() {
        static REGISTER: Once = Once::new();
        REGISTER.call_once(|| {
            // SAFETY: the handler is a function for the life of the process, and does nothing but
            // one atomic addition, which is allowed between fork and exec. An error (out of
            // memory) leaves forks unnoticed.
            unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        });
    }

    #[inline]
    pub(super) fn generation() -> u32 {
        FORKS.load(Ordering::Relaxed)
    }
}

#[cfg(not(unix))]
mod imp {
    pub(super) fn begin() {}

    pub(super) fn generation() -> u32 {
        0
    }
}

/// The process that a reactor belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(u32);

impl Process {
    pub(crate) fn current() -> Process {
        imp::begin();
        Process(imp::generation())
    }

    /// True where this is not the process in which the first reactor was made, but a fork of it.
    #[cfg(feature = "unblock")]
    pub(crate) fn is_forked(self) -> bool {
        self.0 != 0
    }

    #[inline]
    pub(crate) fn is_current(self) -> bool {
        self.0 == imp::generation()
    }

    /// # Errors
    ///
    /// `Unsupported` in a forked child.
    pub(crate) fn check(self) -> io::Result<()> {
        if self.is_current() {
            return Ok(());
        }
        let message = "this process was forked from the reactor's; a child makes a reactor of its \
                       own, or execs";
        Err(io::Error::new(io::ErrorKind::Unsupported, message))
    }
}
