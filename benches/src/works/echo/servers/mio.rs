//! mio: edges, so that a stream is read until there is nothing left.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::works::echo::scene::{BUFFER, Scene, Stream};

const STREAM: Token = Token(usize::MAX);

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let registry = poll.registry();
    for (index, silent) in scene.silent.iter().enumerate() {
        registry.register(&mut SourceFd(&silent.as_raw_fd()), Token(index), Interest::READABLE)?;
    }
    let stream = scene.stream.as_fd().as_raw_fd();
    registry.register(&mut SourceFd(&stream), STREAM, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            if event.token() == STREAM && !pass_all_on(&scene.stream)? {
                return Ok(());
            }
        }
    }
}

/// What mio's documentation asks for: reading until that would block. False at the end of the stream.
fn pass_all_on(stream: &Stream) -> io::Result<bool> {
    let mut buffer = [0; BUFFER];
    loop {
        match stream.io().read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) => return Err(error),
            Ok(0) => return Ok(false),
            Ok(length) => stream.io().write_all(&buffer[..length])?,
        }
    }
}
