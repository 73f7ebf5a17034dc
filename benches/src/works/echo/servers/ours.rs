//! A callback that reads, writes, and asks for the next event.

use std::io;

use interloop::{Action, Handle, Interest, RegisterError, Source};

use crate::systems::ours::Ours;
use crate::works::echo::scene::{Scene, Stream};

pub(super) fn serve(system: &str, scene: Scene) -> io::Result<()> {
    let _sources = Ours::named(system)?.run(|reactor| {
        let silent = scene.silent.into_iter().map(|silent| {
            let never = |_: &_, _| unreachable!("nobody writes to it");
            reactor.register(silent, Interest::READABLE, never).map_err(RegisterError::into)
        });
        let silent = silent.collect::<io::Result<Vec<_>>>()?;
        Ok((silent, echo(reactor, scene.stream)?))
    })?;
    Ok(())
}

fn echo(reactor: &Handle, stream: Stream) -> io::Result<Source<Stream>> {
    let handle = reactor.clone();
    let echo = move |stream: &Stream, _| match stream.pass_on() {
        Ok(true) => Action::Rearm,
        // The client knows best whether all has come back.
        Ok(false) | Err(_) => {
            handle.stop();
            Action::Remove
        }
    };
    Ok(reactor.register(stream, Interest::READABLE, echo)?)
}
