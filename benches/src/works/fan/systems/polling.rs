//! The crate `polling`: by edge, or one event at a time, which is what it does unless told otherwise.
#![allow(unsafe_code)]

use std::io;

use polling::{Event, Events, PollMode, Poller};

use super::{Kind, Scene};

const GATE: usize = usize::MAX - 1;

pub(super) fn serve(kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let poller = Poller::new()?;
    let mode = match kind {
        Kind::Streams => PollMode::Edge,
        Kind::Callbacks => PollMode::Oneshot,
    };
    for (index, bell) in bells.iter().enumerate() {
        // SAFETY: the poller is dropped before the bells, which were there first.
        unsafe { poller.add_with_mode(bell, Event::readable(index), mode)? };
    }
    // SAFETY: as above.
    unsafe { poller.add(&gate, Event::readable(GATE))? };
    let mut events = Events::new();
    loop {
        events.clear();
        poller.wait(&mut events, None)?;
        for event in events.iter() {
            if event.key == GATE {
                gate.hear()?;
                poller.modify(&gate, Event::readable(GATE))?;
                tally.hold();
                continue;
            }
            let bell = &bells[event.key];
            match kind {
                Kind::Streams => bell.hear_all()?,
                Kind::Callbacks => bell.hear()?,
            }
            let is_over = tally.count();
            if kind == Kind::Callbacks {
                poller.modify(bell, Event::readable(event.key))?;
            }
            if is_over {
                return Ok(());
            }
        }
    }
}
