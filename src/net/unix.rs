//! Unix sockets.

mod datagram;
mod listener;
mod stream;

use std::time::Duration;

pub use datagram::UnixDatagram;
pub use listener::UnixListener;
pub use stream::UnixStream;

/// How long to wait before a peer whose line is full is tried again, at first and at most: the
/// operating system does not tell when there is room.
const FULL: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(50));
