//! calloop's channel.

use std::io;

use calloop::EventLoop;
use calloop::channel::{Event, Sender, channel};

use super::scene::{Boxed, Caller, Scene};
use crate::compare::Figure;

impl Caller for Sender<Boxed> {
    fn call(&self, call: impl FnOnce() + Send + 'static) {
        let _refused = self.send(Box::new(call));
    }
}

pub(super) fn host(scene: Scene) -> io::Result<Vec<Figure>> {
    let mut event_loop = EventLoop::<bool>::try_new()?;
    let (sender, calls) = channel::<Boxed>();
    let run = |event: Event<Boxed>, (): &mut (), over: &mut bool| match event {
        Event::Msg(call) => call(),
        Event::Closed => *over = true,
    };
    event_loop.handle().insert_source(calls, run).map_err(|error| error.error)?;
    let calling = scene.start(sender, || ())?;
    let mut over = false;
    while !over {
        event_loop.dispatch(None, &mut over)?;
    }
    calling.figures()
}
