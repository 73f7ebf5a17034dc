//! mio, which has edges only.

use std::io;
use std::os::fd::AsRawFd;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::{Kind, Scene};

const GATE: Token = Token(usize::MAX - 1);

pub(super) fn serve(_kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let mut poll = Poll::new()?;
    let registry = poll.registry();
    for (index, bell) in bells.iter().enumerate() {
        registry.register(&mut SourceFd(&bell.as_raw_fd()), Token(index), Interest::READABLE)?;
    }
    registry.register(&mut SourceFd(&gate.as_raw_fd()), GATE, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == GATE {
                gate.hear_all()?;
                tally.hold();
                continue;
            }
            bells[event.token().0].hear_all()?;
            if tally.count() {
                return Ok(());
            }
        }
    }
}
