//! Benchmarks of the interloop reactor: one file in `benches/` for each path that has a price, and
//! here what they share. `cargo bench -p interloop-benches`, with `-- --quick` for a first look.
//!
//! A measurement begins with the first unit of work and ends with the last, so that making the
//! reactor, filling it and shutting it down are no part of it. Compare figures of one run only. They
//! need a Unix; the comparison with a bare epoll needs Linux.

mod drive;
mod meter;
#[cfg(target_os = "linux")]
mod raw;

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::time::Duration;

pub use drive::Drive;
pub use meter::Meter;
#[cfg(target_os = "linux")]
pub use raw::RawEpoll;

/// How long a bench runs before it is measured. All of them together take some minutes.
pub const WARM_UP: Duration = Duration::from_millis(200);
/// How long a bench is measured.
pub const MEASUREMENT: Duration = Duration::from_millis(800);
/// How often it is measured in that time.
pub const SAMPLES: usize = 20;

/// A stream that is readable, and stays so as long as nobody reads.
pub fn readable() -> UnixStream {
    let (stream, mut peer) = UnixStream::pair().expect("a descriptor is left");
    peer.write_all(&[1]).expect("a fresh socket takes a byte");
    stream
}

/// A connected pair that does not block.
pub fn pair() -> (UnixStream, UnixStream) {
    let (one, other) = UnixStream::pair().expect("two descriptors are left");
    one.set_nonblocking(true).expect("a socket can be set non-blocking");
    other.set_nonblocking(true).expect("a socket can be set non-blocking");
    (one, other)
}

/// Takes a byte and sends it on: one hop of an echo.
pub fn pass_on(mut stream: &UnixStream) {
    let mut byte = [0];
    stream.read_exact(&mut byte).expect("it is readable");
    stream.write_all(&byte).expect("one byte at a time is on its way");
}
