//! Child processes, signals and streams, which are the parent's too.

use std::cell::Cell;
use std::io;
use std::rc::Rc;

use interloop::BackendKind;

use super::{Parent, in_child, on_each_backend};

#[cfg(all(feature = "process", feature = "signal"))]
#[test]
fn a_child_leaves_the_parents_processes_and_signals_to_it() {
    on_each_backend(child_leaves_processes_and_signals);
}

#[cfg(all(feature = "process", feature = "signal"))]
fn child_leaves_processes_and_signals(backend: BackendKind) {
    use std::process::{Command, Stdio};

    use futures_lite::future::poll_once;
    use interloop::signal::{Signal, signals};

    let parent = Parent::new(backend);
    let mut command = Command::new("cat");
    let process = interloop::process::spawn(&parent.reactor, command.stdin(Stdio::piped()));
    let process = Cell::new(Some(process.unwrap().kill_on_drop(true)));
    let listen = || signals(&parent.reactor, &[Signal::URG]);
    let heard = Cell::new(Some(listen().unwrap()));
    in_child(|| {
        let unsupported = io::ErrorKind::Unsupported;
        let mut process = process.take().unwrap();
        assert_eq!(process.kill().unwrap_err().kind(), unsupported);
        assert_eq!(process.try_wait().unwrap_err().kind(), unsupported);
        drop(process);
        assert_eq!(listen().unwrap_err().kind(), unsupported);
        let mut heard = heard.take().unwrap();
        let received = futures_lite::future::block_on(poll_once(heard.recv()));
        assert_eq!(received.unwrap().unwrap_err().kind(), unsupported);
        drop(heard);
    });
    assert_eq!(process.take().unwrap().try_wait().unwrap(), None);
    let mut heard = heard.take().unwrap();
    let again = Rc::new(Cell::new(false));
    let set = Rc::clone(&again);
    let task = parent.reactor.spawn_local(async move {
        set.set(heard.recv().await.unwrap() == Signal::URG);
    });
    signal_hook::low_level::raise(Signal::URG.number()).unwrap();
    parent.run_until(|| again.get());
    drop(task);
    parent.finish();
}

#[test]
fn a_child_that_drops_a_stream_leaves_the_connection_to_its_parent() {
    on_each_backend(child_drops_a_stream);
}

fn child_drops_a_stream(backend: BackendKind) {
    use futures_lite::{AsyncReadExt, AsyncWriteExt};
    use interloop::net::UnixStream;

    let parent = Parent::new(backend);
    let (near, mut far) = UnixStream::pair(&parent.reactor).unwrap();
    let halves = Cell::new(Some(near.split()));
    in_child(|| {
        let (mut reader, writer) = halves.take().unwrap();
        let read = futures_lite::future::block_on(reader.read(&mut [0]));
        assert_eq!(read.unwrap_err().kind(), io::ErrorKind::Unsupported);
        drop((reader, writer));
    });
    let (_reader, mut writer) = halves.take().unwrap();
    let heard = Rc::new(Cell::new(false));
    let set = Rc::clone(&heard);
    let task = parent.reactor.spawn_local(async move {
        writer.write_all(b"x").await.unwrap();
        far.read_exact(&mut [0]).await.unwrap();
        drop(writer);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
        set.set(true);
    });
    parent.run_until(|| heard.get());
    drop(task);
    parent.finish();
}
