//! The crate `polling`, one event at a time, as it comes.
#![allow(unsafe_code)]

use std::io;
use std::os::fd::AsFd;

use polling::{Event, Events, Poller};

use crate::works::echo::scene::{Scene, Stream};

const STREAM: usize = usize::MAX - 1;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    serve_by(&scene, |stream| stream.pass_on())
}

/// Has each event of the stream answered, until the answer is false.
pub(super) fn serve_by(
    scene: &Scene,
    mut answer: impl FnMut(&Stream) -> io::Result<bool>,
) -> io::Result<()> {
    let poller = Poller::new()?;
    for (index, silent) in scene.silent.iter().enumerate() {
        // SAFETY: the poller is dropped before the descriptors, which are the scene's.
        unsafe { poller.add(silent, Event::readable(index))? };
    }
    // SAFETY: as above.
    unsafe { poller.add(&scene.stream.as_fd(), Event::readable(STREAM))? };
    let mut events = Events::new();
    loop {
        events.clear();
        poller.wait(&mut events, None)?;
        for event in events.iter().filter(|event| event.key == STREAM) {
            if !answer(&scene.stream)? {
                return Ok(());
            }
            poller.modify(&scene.stream, Event::readable(event.key))?;
        }
    }
}
