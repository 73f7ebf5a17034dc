//! calloop, by level.

use std::io;

use calloop::generic::Generic;
use calloop::{EventLoop, Interest, LoopSignal, Mode, PostAction};

use crate::works::echo::scene::Scene;

pub(super) fn serve(scene: Scene) -> io::Result<()> {
    let mut event_loop: EventLoop<'_, LoopSignal> = EventLoop::try_new()?;
    let handle = event_loop.handle();
    for silent in scene.silent {
        let source = Generic::new(silent, Interest::READ, Mode::Level);
        handle
            .insert_source(source, |_, _, _| unreachable!("nobody writes to it"))
            .map_err(|refused| io::Error::from(refused.error))?;
    }
    let source = Generic::new(scene.stream, Interest::READ, Mode::Level);
    let echo = handle.insert_source(source, |_, stream, signal: &mut LoopSignal| {
        if stream.pass_on()? {
            return Ok(PostAction::Continue);
        }
        signal.stop();
        Ok(PostAction::Remove)
    });
    echo.map_err(|refused| io::Error::from(refused.error))?;
    let mut signal = event_loop.get_signal();
    event_loop.run(None, &mut signal, |_| ())?;
    Ok(())
}
