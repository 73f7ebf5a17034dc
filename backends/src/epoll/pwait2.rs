//! epoll_pwait2(2), the wait in nanoseconds.
//!
//! rustix decides when it is compiled which of the two waits it calls; a program that runs on
//! kernels with and without this one needs both.

use std::os::fd::BorrowedFd;

use rustix::event::{Timespec, epoll};
use rustix::io::Errno;

/// Waits, and fills what is left of the capacity of `events`.
#[cfg(target_os = "linux")]
pub(super) fn epoll_pwait2(
    set: BorrowedFd<'_>,
    events: &mut Vec<epoll::Event>,
    timeout: &Timespec,
) -> rustix::io::Result<usize> {
    use std::os::fd::AsRawFd;
    use std::{io, ptr};

    // Two words of 64 bits, in every ABI of this system call.
    let timeout: [i64; 2] = [timeout.tv_sec as _, timeout.tv_nsec as _];
    let spare = events.spare_capacity_mut();
    // SAFETY: the kernel reads the timeout and writes at most `spare.len()` events to `spare`;
    // both are borrowed until it returns. There is no signal mask.
    let count = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            set.as_raw_fd(),
            spare.as_mut_ptr(),
            spare.len() as libc::c_int,
            timeout.as_ptr(),
            ptr::null::<libc::sigset_t>(),
            0usize,
        )
    };
    let Ok(count) = usize::try_from(count) else {
        return Err(Errno::from_io_error(&io::Error::last_os_error()).unwrap_or(Errno::IO));
    };
    // SAFETY: the kernel has written the first `count` of the spare events.
    unsafe { events.set_len(events.len() + count) };
    Ok(count)
}

/// Android kills who makes a system call that it does not know.
#[cfg(not(target_os = "linux"))]
pub(super) fn epoll_pwait2(
    _set: BorrowedFd<'_>,
    _events: &mut Vec<epoll::Event>,
    _timeout: &Timespec,
) -> rustix::io::Result<usize> {
    Err(Errno::NOSYS)
}
