//! Ctrl-C and SIGTERM.

use std::future::Future;
use std::io;

use interloop::Handle;

/// Waits until the user, or whoever minds the service, asks the program to end. From now on the
/// signals do nothing but that.
#[cfg(unix)]
pub fn interrupted(handle: &Handle) -> io::Result<impl Future<Output = ()> + use<>> {
    use interloop::Async;
    use signal_hook::consts::{SIGINT, SIGTERM};
    use std::os::unix::net::UnixStream;

    let (far, near) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM] {
        // The handler writes a byte, which is about all that a signal handler may do.
        signal_hook::low_level::pipe::register(signal, far.try_clone()?)?;
    }
    let near = Async::new(handle, near)?;
    Ok(async move {
        let _closed = near.readable().await;
    })
}

/// Never: Ctrl-C ends the program as the system has it.
#[cfg(not(unix))]
pub fn interrupted(_handle: &Handle) -> io::Result<impl Future<Output = ()> + use<>> {
    Ok(std::future::pending())
}
