//! A descriptor that is readable once a child has ended. The child is not waited for by it.
//!
//! A port provides `Exit`, which is `AsFd`, with two functions: `watch(pid)` for a child that has
//! just begun, and is lost where somebody else has waited for it already, and `kill(&self, child)` for one of which `try_wait` has just said that it runs.

#[cfg(any(
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd"
))]
#[path = "kqueue.rs"]
mod port;

#[cfg(any(target_os = "android", target_os = "linux"))]
#[path = "pidfd.rs"]
mod port;

#[cfg(not(any(
    target_vendor = "apple",
    target_os = "android",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "linux",
    target_os = "netbsd",
    target_os = "openbsd"
)))]
#[path = "pool.rs"]
mod port;

pub(super) use port::Exit;
