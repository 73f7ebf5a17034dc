//! epoll on the host thread: by edge, or one event at a time.

use std::io;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

use super::{Kind, Scene};

const GATE: u64 = u64::MAX;

pub(super) fn serve(kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let set = epoll::create(CreateFlags::CLOEXEC)?;
    let flags = EventFlags::IN
        | match kind {
            Kind::Streams => EventFlags::ET,
            Kind::Callbacks => EventFlags::ONESHOT,
        };
    for (index, bell) in bells.iter().enumerate() {
        epoll::add(&set, bell, EventData::new_u64(index as u64), flags)?;
    }
    epoll::add(&set, &gate, EventData::new_u64(GATE), EventFlags::IN)?;
    let mut events: Vec<Event> = Vec::with_capacity(1024);
    loop {
        events.clear();
        epoll::wait(&set, spare_capacity(&mut events), None)?;
        for event in &events {
            let data = event.data;
            if data.u64() == GATE {
                gate.hear()?;
                tally.hold();
                continue;
            }
            let bell = &bells[data.u64() as usize];
            match kind {
                Kind::Streams => bell.hear_all()?,
                Kind::Callbacks => bell.hear()?,
            }
            let is_over = tally.count();
            if kind == Kind::Callbacks {
                epoll::modify(&set, bell, data, flags)?;
            }
            if is_over {
                return Ok(());
            }
        }
    }
}
