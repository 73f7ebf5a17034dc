//! Interloop: a callback that reads, writes, and asks for the next event; and a task on its streams.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::pin::Pin;

use interloop::net::{TcpStream, UnixStream};
use interloop::{Action, BackendKind, Handle, Interest, RegisterError, Source};

use super::streams;
use crate::systems::ours::Ours;
use crate::works::echo::scene::{Scene, Stream};

/// What stands behind the name of a reactor whose host has a task on a stream, in the place of a callback.
const STREAMS: &str = "/streams";

/// Every reactor with a callback, and the best of them with a stream too.
pub(super) fn names() -> Vec<String> {
    let streams = Ours::with(BackendKind::Epoll).into_iter().map(|name| name + STREAMS);
    Ours::everywhere().into_iter().chain(streams).collect()
}

pub(super) fn serve(system: &str, scene: Scene) -> io::Result<()> {
    let (system, echo): (_, fn(&Handle, Stream) -> io::Result<()>) =
        match system.strip_suffix(STREAMS) {
            Some(system) => (system, echo_on_a_stream),
            None => (system, echo_in_a_callback),
        };
    let _silent = Ours::named(system)?.run(|reactor| {
        let silent = scene.silent.into_iter().map(|silent| watch(reactor, silent));
        let silent = silent.collect::<io::Result<Vec<_>>>()?;
        echo(reactor, scene.stream)?;
        Ok(silent)
    })?;
    Ok(())
}

fn watch(reactor: &Handle, silent: UnixDatagram) -> io::Result<Source<UnixDatagram>> {
    let never = |_: &_, _| unreachable!("nobody writes to it");
    reactor.register(silent, Interest::READABLE, never).map_err(RegisterError::into)
}

fn echo_in_a_callback(reactor: &Handle, stream: Stream) -> io::Result<()> {
    let handle = reactor.clone();
    let echo = move |stream: &Stream, _| match stream.pass_on() {
        Ok(true) => Action::Rearm,
        // The client knows whether all has come back.
        Ok(false) | Err(_) => {
            handle.stop();
            Action::Remove
        }
    };
    reactor.register(stream, Interest::READABLE, echo)?.detach();
    Ok(())
}

fn echo_on_a_stream(reactor: &Handle, stream: Stream) -> io::Result<()> {
    let handle = reactor.clone();
    let echo: Pin<Box<dyn Future<Output = io::Result<()>>>> = match stream {
        Stream::Unix(stream) => Box::pin(streams::echo(UnixStream::new(reactor, stream)?)),
        Stream::Tcp(stream) => Box::pin(streams::echo(TcpStream::new(reactor, stream)?)),
    };
    let echo = async move {
        // The client knows whether all has come back.
        let _ = echo.await;
        handle.stop();
    };
    reactor.spawn_local(echo).detach();
    Ok(())
}
