//! A host that sleeps in `poll` on one descriptor, that of an embedded reactor.

use std::io;

use interloop::Reactor;
use rustix::event::{PollFd, PollFlags, poll};

use super::left_out;
use super::ours::Drive;

/// Runs an embedded reactor until it has stopped.
pub(crate) fn host(reactor: &Reactor, drive: Drive) -> io::Result<()> {
    if drive != Drive::Embed {
        return Err(left_out("a host that sleeps in poll alone cannot be woken by another thread"));
    }
    let embedded = reactor.embed()?.polled_by_number();
    loop {
        poll(&mut [PollFd::new(&embedded, PollFlags::IN)], None)?;
        if !embedded.turn() {
            return Ok(());
        }
    }
}
