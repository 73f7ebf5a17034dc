//! epoll by level, the way most loops have it.

use std::io;

use rustix::event::epoll::EventFlags;

use crate::systems::raw_epoll::RawEpoll;
use crate::works::echo::scene::Scene;

const STREAM: u64 = u64::MAX;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let mut epoll = RawEpoll::new()?;
    for (index, silent) in scene.silent.iter().enumerate() {
        epoll.add(silent, index as u64, EventFlags::IN)?;
    }
    epoll.add(&scene.stream, STREAM, EventFlags::IN)?;
    loop {
        for event in epoll.wait()? {
            if event.data.u64() == STREAM && !scene.stream.pass_on()? {
                return Ok(());
            }
        }
    }
}
