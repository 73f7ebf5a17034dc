//! Child processes, signals and streams, which are the parent's too.
#![allow(unsafe_code)]

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

#[cfg(feature = "signal")]
#[test]
fn a_child_outlives_a_signal_that_nobody_hears() {
    on_each_backend(child_outlives_a_signal);
}

/// The parent has closed its end, and the child's handlers still tell it.
#[cfg(feature = "signal")]
fn child_outlives_a_signal(backend: BackendKind) {
    use std::io::{Read, Write};
    use std::os::unix::net::UnixStream;

    use interloop::signal::{Signal, signals};

    use super::{exit, fork, wait};

    let parent = Parent::new(backend);
    let heard = Cell::new(Some(signals(&parent.reactor, &[Signal::URG]).unwrap()));
    let (mut child_end, mut parent_end) = UnixStream::pair().unwrap();
    let pid = fork();
    if pid == 0 {
        exit(|| {
            // SAFETY: no code of ours runs by it.
            unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
            drop(heard.take());
            child_end.read_exact(&mut [0]).unwrap();
            signal_hook::low_level::raise(Signal::URG.number()).unwrap();
        });
    }
    drop(heard.take());
    parent_end.write_all(b"x").unwrap();
    wait(pid);
    parent.finish();
}

#[test]
fn a_child_sends_no_datagram_of_its_parents() {
    on_each_backend(child_sends_no_datagram);
}

fn child_sends_no_datagram(backend: BackendKind) {
    use futures_lite::future::block_on;
    use interloop::net::UnixDatagram;

    let parent = Parent::new(backend);
    let path = std::env::temp_dir().join(format!("interloop-{}.fork", std::process::id()));
    let peer = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    peer.set_nonblocking(true).unwrap();
    let socket = UnixDatagram::unbound(&parent.reactor).unwrap();
    in_child(|| {
        let error = block_on(socket.send_to(b"x", &path)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    });
    let nothing = peer.recv(&mut [0; 2]).unwrap_err();
    assert_eq!(nothing.kind(), io::ErrorKind::WouldBlock);
    assert_eq!(block_on(socket.send_to(b"x", &path)).unwrap(), 1);
    std::fs::remove_file(&path).unwrap();
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
