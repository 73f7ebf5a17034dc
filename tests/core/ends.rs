//! The ends of streams: half-close, reset, the buffer that is full at the end, the end of the reactor.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::net::Shutdown;
use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use interloop::net::{TcpListener, TcpStream, UdpSocket, UnixStream};
use interloop::{BackendKind, Handle, Phase};
use socket2::SockRef;

use crate::cases;
use crate::futures::{Flag, yield_now};
use crate::pairs::Heard;
use crate::shutdown::run_until_stopped;
use crate::sockets::{bytes_at, fill, once, send, task, tcp};
use crate::world::{LIMIT, World};

cases!(
    a_closed_half_ends_the_peers_reading_and_no_more,
    a_dropped_write_half_closes_its_half,
    halves_of_one_stream_go_together_again,
    a_stream_that_is_shut_down_ends_who_waits,
    a_reset_in_the_middle_of_a_transfer_is_an_error,
    a_buffer_that_is_full_at_the_end_hides_no_end,
    an_end_is_known_although_a_write_found_no_room,
    operations_that_wait_fail_when_the_sources_close,
    a_before_trigger_can_use_the_network,
    operations_on_a_reactor_that_is_gone_are_errors,
);

/// A stream of either kind.
trait Both: AsyncRead + AsyncWrite + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Unpin + 'static> Both for T {}

type Pair = (Box<dyn Both>, Box<dyn Both>);

/// A connected pair of each kind.
fn pairs(reactor: &Handle) -> [Pair; 2] {
    let (near, far) = tcp(reactor);
    let (unix_near, unix_far) = UnixStream::pair(reactor).unwrap();
    [(Box::new(near), Box::new(far)), (Box::new(unix_near), Box::new(unix_far))]
}

/// Behaviour 50: in both directions.
fn a_closed_half_ends_the_peers_reading_and_no_more(world: &World) {
    task(world, |reactor| async move {
        for swapped in [false, true] {
            for (one, other) in pairs(&reactor) {
                let (mut near, mut far) = if swapped { (other, one) } else { (one, other) };
                // Who reads waits already.
                let waits = reactor.spawn_local(async move {
                    let mut bytes = Vec::new();
                    far.read_to_end(&mut bytes).await.unwrap();
                    (far, bytes)
                });
                yield_now().await;
                near.write_all(b"last words").await.unwrap();
                near.close().await.unwrap();
                let (mut far, bytes) = waits.await;
                assert_eq!(bytes, b"last words");
                assert_eq!(far.read(&mut [0]).await.unwrap(), 0, "it stays ended");
                // The other direction is open.
                let sends = reactor.spawn_local(async move {
                    send(&mut far, 0..100_000, 4096).await.unwrap();
                    far.close().await.unwrap();
                });
                let received = crate::sockets::receive(&mut near, 1000).await.unwrap();
                assert_eq!(received, 100_000);
                sends.await;
                near.close().await.unwrap();
                let error = near.write(b"x").await.unwrap_err();
                assert_eq!(error.kind(), ErrorKind::BrokenPipe);
            }
        }
    });
}

/// Issue point 2: and only that one.
fn a_dropped_write_half_closes_its_half(world: &World) {
    task(world, |reactor| async move {
        let (near, mut far) = tcp(&reactor);
        let (mut reader, mut writer) = near.split();
        writer.write_all(b"a").await.unwrap();
        drop(writer);
        let mut bytes = Vec::new();
        far.read_to_end(&mut bytes).await.unwrap();
        assert_eq!(bytes, b"a");
        far.write_all(b"b").await.unwrap();
        assert_eq!(reader.read(&mut [0; 4]).await.unwrap(), 1);
        drop(far);
        assert_eq!(reader.read(&mut [0; 4]).await.unwrap(), 0);
        // A half that reads closes nothing when it is dropped.
        let (near, mut far) = tcp(&reactor);
        let (reader, mut writer) = near.split();
        drop(reader);
        writer.write_all(b"c").await.unwrap();
        assert_eq!(far.read(&mut [0; 4]).await.unwrap(), 1);
        far.write_all(b"d").await.unwrap();
        drop(writer);
        assert_eq!(far.read(&mut [0; 4]).await.unwrap(), 0);
    });
}

/// Issue point 2: the half-close is off; halves of different streams are handed back.
fn halves_of_one_stream_go_together_again(world: &World) {
    task(world, |reactor| async move {
        let (near, far) = tcp(&reactor);
        let ((reader, writer), (far_reader, far_writer)) = (near.split(), far.split());
        let (writer, far_reader) = writer.unsplit(far_reader).unwrap_err();
        let mut near = writer.unsplit(reader).unwrap();
        let mut far = far_writer.unsplit(far_reader).unwrap();
        for _ in 0..2 {
            near.write_all(b"x").await.unwrap();
            assert_eq!(far.read(&mut [0; 4]).await.unwrap(), 1);
            std::mem::swap(&mut near, &mut far);
        }
    });
}

/// Behaviour 50: on this side, by another handle.
fn a_stream_that_is_shut_down_ends_who_waits(world: &World) {
    task(world, |reactor| async move {
        let (near, mut far) = tcp(&reactor);
        let mut reader = near.clone();
        let waits = reactor.spawn_local(async move { reader.read(&mut [0]).await });
        yield_now().await;
        near.shutdown(Shutdown::Both).unwrap();
        assert_eq!(waits.await.unwrap(), 0);
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
        drop(far);
        near.shutdown(Shutdown::Both).unwrap();
    });
}

/// Closes a connection with a reset.
fn reset(stream: TcpStream) {
    SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
}

/// Behaviour 50: who waits to read and who waits to write hear of it.
fn a_reset_in_the_middle_of_a_transfer_is_an_error(world: &World) {
    // Over libkqueue the event itself has taken the error, and a socket without one has ended.
    let takes_errors = world.backend == BackendKind::Kqueue && cfg!(target_os = "linux");
    task(world, |reactor| async move {
        let (near, mut far) = tcp(&reactor);
        let (mut reader, mut writer) = (near.clone(), near);
        far.write_all(b"x").await.unwrap();
        assert_eq!(reader.read(&mut [0; 4]).await.unwrap(), 1);
        let reads = reactor.spawn_local(async move { reader.read(&mut [0; 4]).await });
        yield_now().await;
        reset(far);
        match reads.await {
            Ok(read) => assert!(read == 0 && takes_errors),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        assert_eq!(writer.write(b"x").await.unwrap_err().kind(), ErrorKind::BrokenPipe);

        let (mut near, far) = tcp(&reactor);
        let full = Flag::default();
        let is_full = full.clone();
        let writes = reactor.spawn_local(async move {
            fill(&mut near).await;
            is_full.set();
            loop {
                if let Err(error) = near.write_all(&[0; 65536]).await {
                    return error.kind();
                }
            }
        });
        full.wait().await;
        yield_now().await;
        assert!(!writes.is_finished());
        reset(far);
        let kind = writes.await;
        assert!(matches!(kind, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe), "{kind}");
    });
}

/// When the end of a stream comes.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Comes {
    BeforeTheFirstRead,
    WithTheData,
    AfterTheLastRead,
}

/// Behaviour 51.
fn a_buffer_that_is_full_at_the_end_hides_no_end(world: &World) {
    task(world, |reactor| async move {
        for size in [1, 2, 3, 64, 1000, 4096, 40_000] {
            for total in [size - 1, size, size + 1, 2 * size - 1, 2 * size, 2 * size + 1] {
                for comes in
                    [Comes::BeforeTheFirstRead, Comes::WithTheData, Comes::AfterTheLastRead]
                {
                    for pair in pairs(&reactor) {
                        read_to_the_end(&reactor, pair, size, total, comes).await;
                    }
                }
            }
        }
    });
}

async fn read_to_the_end(reactor: &Handle, pair: Pair, size: usize, total: usize, comes: Comes) {
    let (mut near, mut far) = pair;
    let (count, waiting) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(false)));
    let (counts, waits) = (Rc::clone(&count), Rc::clone(&waiting));
    let read = async move {
        let mut buffer = vec![0; size];
        loop {
            let read = std::future::poll_fn(|cx| {
                let polled = Pin::new(&mut near).poll_read(cx, &mut buffer);
                waits.set(polled.is_pending());
                polled
            });
            let read = read.await.unwrap();
            let place = counts.get();
            assert!(buffer[..read] == *bytes_at(place..place + read));
            counts.set(place + read);
            if read == 0 {
                return;
            }
        }
    };
    let reads = if comes == Comes::BeforeTheFirstRead {
        send(&mut far, 0..total, total.max(1)).await.unwrap();
        drop(far);
        reactor.spawn_local(read)
    } else {
        let reads = reactor.spawn_local(read);
        while !waiting.get() {
            yield_now().await;
        }
        send(&mut far, 0..total, total.max(1)).await.unwrap();
        while comes == Comes::AfterTheLastRead && !(count.get() == total && waiting.get()) {
            yield_now().await;
        }
        drop(far);
        reads
    };
    reads.await;
    assert_eq!(count.get(), total, "{size} at a time, and the end {comes:?}");
}

/// Behaviour 51: a write that would block says nothing of what there is to read.
fn an_end_is_known_although_a_write_found_no_room(world: &World) {
    task(world, |reactor| async move {
        let (mut near, mut far) = UnixStream::pair(&reactor).unwrap();
        // It has waited for both directions, and needs no other registration.
        let mut left = fill(&mut near).await;
        let mut bytes = vec![0; 65536];
        while left > 0 {
            left -= far.read(&mut bytes).await.unwrap();
        }
        near.as_async().writable().await.unwrap();
        assert!(once(near.read(&mut [0])).await.is_none());
        far.write_all(b"0123456789").await.unwrap();
        far.close().await.unwrap();
        near.as_async().readable().await.unwrap();
        fill(&mut near).await;
        assert_eq!(near.read(&mut [0; 100]).await.unwrap(), 10);
        assert_eq!(near.read(&mut [0; 100]).await.unwrap(), 0);
    });
}

/// Behaviour 37 for tasks: between the `Before` triggers and the `During` ones.
fn operations_that_wait_fail_when_the_sources_close(world: &World) {
    let reactor = world.reactor();
    let host = world.host(&reactor);
    let heard = Heard::new();
    let (near, _near_peer) = tcp(&reactor);
    let (mut full, _full_peer) = UnixStream::pair(&reactor).unwrap();
    let mut reader = near.clone();
    let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
    let socket = UdpSocket::bind(&reactor, "127.0.0.1:0").unwrap();
    let tell = |what: &'static str| {
        let heard = heard.clone();
        move |error: std::io::Error| heard.tell((what, error.kind()))
    };
    let told = tell("read");
    reactor.spawn_local(async move { told(reader.read(&mut [0]).await.unwrap_err()) }).detach();
    let told = tell("write");
    let is_full = Flag::default();
    let fills = is_full.clone();
    let writes = async move {
        fill(&mut full).await;
        fills.set();
        told(full.write(b"x").await.unwrap_err());
    };
    reactor.spawn_local(writes).detach();
    let told = tell("readable");
    let stream = near.clone();
    let waits = async move { told(stream.as_async().readable().await.unwrap_err()) };
    reactor.spawn_local(waits).detach();
    let told = tell("accept");
    reactor.spawn_local(async move { told(listener.accept().await.unwrap_err()) }).detach();
    let told = tell("recv_from");
    let receives = async move { told(socket.recv_from(&mut [0]).await.unwrap_err()) };
    reactor.spawn_local(receives).detach();
    let all = Rc::new(RefCell::new(Vec::new()));
    let (put, handle) = (Rc::clone(&all), reactor.handle());
    let hears = async move {
        let mut told = heard.take(5).await;
        told.sort_unstable();
        put.replace(told);
        // Another one is refused.
        let refused = TcpListener::bind(&handle, "127.0.0.1:0").unwrap_err();
        put.borrow_mut().push(("refused", refused.kind()));
    };
    let trigger = reactor.on_shutdown(Phase::During, hears).unwrap();
    let stopper = reactor.handle();
    let stops = async move {
        // The others wait already: they began before.
        is_full.wait().await;
        yield_now().await;
        stopper.stop();
    };
    reactor.spawn_local(stops).detach();
    run_until_stopped(&reactor, &host);
    let whats = ["accept", "read", "readable", "recv_from", "write", "refused"];
    assert_eq!(*all.borrow(), whats.map(|what| (what, ErrorKind::NotConnected)));
    drop((near, trigger));
}

/// Behaviour 40: it connects, and a task of the same reactor answers it.
fn a_before_trigger_can_use_the_network(world: &World) {
    for finishes in [false, true] {
        let reactor = world.reactor();
        let host = world.host(&reactor);
        let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let serves = async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            stream.read_to_end(&mut bytes).await.unwrap();
            stream.write_all(&bytes).await.unwrap();
        };
        reactor.spawn_local(serves).detach();
        let goodbye = Rc::new(RefCell::new(String::new()));
        let (put, handle) = (Rc::clone(&goodbye), reactor.handle());
        let says = async move {
            let mut stream = TcpStream::connect(&handle, address).await?;
            stream.write_all(b"goodbye").await?;
            stream.close().await?;
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await?;
            put.replace(answer);
            std::io::Result::Ok(())
        };
        let trigger = reactor.on_shutdown(Phase::Before, says).unwrap();
        if finishes {
            let finished = reactor.finish(LIMIT).unwrap();
            assert!(finished.is_clean(), "{finished}");
        } else {
            reactor.stop();
            run_until_stopped(&reactor, &host);
        }
        assert_eq!(*goodbye.borrow(), "goodbye");
        drop(trigger);
    }
}

/// Behaviour 35 for streams: nothing panics, and nothing waits.
fn operations_on_a_reactor_that_is_gone_are_errors(world: &World) {
    let reactor = world.reactor();
    let (mut near, far) = tcp(&reactor);
    let handle = reactor.handle();
    drop(reactor);
    let kinds = crate::futures::block_on(async {
        let write = near.write(b"x").await.unwrap_err();
        let read = near.read(&mut [0]).await.unwrap_err();
        let ready = near.as_async().readable().await.unwrap_err();
        let refused = UdpSocket::bind(&handle, "127.0.0.1:0").unwrap_err();
        let connect = TcpStream::connect(&handle, "127.0.0.1:1").await.unwrap_err();
        [write, read, ready, refused, connect].map(|error| error.kind())
    });
    assert_eq!(kinds, [ErrorKind::NotConnected; 5]);
    // The descriptors are still theirs.
    assert!(near.peer_addr().is_ok() && near.shutdown(Shutdown::Both).is_ok());
    drop(far);
}
