//! calloop: by edge, or by level, which is how its callbacks are registered.

use std::io;

use calloop::generic::Generic;
use calloop::{EventLoop, Interest, LoopSignal, Mode, PostAction};

use super::{Kind, Scene};

pub(super) fn serve(kind: Kind, scene: Scene) -> io::Result<()> {
    let Scene { gate, bells, tally } = scene;
    let mut event_loop: EventLoop<'_, LoopSignal> = EventLoop::try_new()?;
    let handle = event_loop.handle();
    let mode = match kind {
        Kind::Streams => Mode::Edge,
        Kind::Callbacks => Mode::Level,
    };
    for bell in bells {
        let tally = tally.clone();
        let source = Generic::new(bell, Interest::READ, mode);
        let inserted = handle.insert_source(source, move |_, bell, signal: &mut LoopSignal| {
            match kind {
                Kind::Streams => bell.hear_all()?,
                Kind::Callbacks => bell.hear()?,
            }
            if tally.count() {
                signal.stop();
            }
            Ok(PostAction::Continue)
        });
        inserted.map_err(|refused| io::Error::from(refused.error))?;
    }
    let source = Generic::new(gate, Interest::READ, Mode::Level);
    let inserted = handle.insert_source(source, move |_, gate, _| {
        gate.hear()?;
        tally.hold();
        Ok(PostAction::Continue)
    });
    inserted.map_err(|refused| io::Error::from(refused.error))?;
    let mut signal = event_loop.get_signal();
    event_loop.run(None, &mut signal, |_| ())?;
    Ok(())
}
