//! Streams: two tasks at one stream, transfers both ways, what does not wait and what does.

use std::cell::Cell;
use std::io::{IoSlice, IoSliceMut};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::time::{Duration, Instant};

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, future};
use interloop::Handle;
use interloop::net::{TcpListener, TcpStream, UnixStream};
use socket2::{SockRef, TcpKeepalive};

use crate::cases;
use crate::futures::yield_now;
use crate::sockets::{bytes_at, fill, once, receive, send, task, tcp};
use crate::world::{LIMIT, World};

cases!(
    what_is_written_comes_back,
    one_task_reads_and_another_writes_one_stream,
    eight_mebibytes_go_each_way_at_once,
    vectored_reads_and_writes_keep_the_order,
    what_is_peeked_at_is_read_again,
    reads_and_writes_of_nothing_do_not_wait,
    a_reader_that_does_not_read_bounds_the_writer,
    a_stream_that_is_always_ready_starves_nobody,
    a_task_that_never_sleeps_long_starves_no_stream,
    two_tasks_that_wait_to_read_one_stream_both_read,
    options_are_those_of_the_socket,
);

/// Behaviour 49.
fn what_is_written_comes_back(world: &World) {
    task(world, |reactor| async move {
        let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let echo = reactor.spawn_local(async move {
            let (stream, peer) = listener.accept().await.unwrap();
            assert_eq!(stream.peer_addr().unwrap(), peer);
            let (mut reader, mut writer) = stream.split();
            futures_lite::io::copy(&mut reader, &mut writer).await.unwrap()
        });
        let mut stream = TcpStream::connect(&reactor, address).await.unwrap();
        for size in 1..100 {
            let bytes = bytes_at(0..size);
            stream.write_all(bytes).await.unwrap();
            let mut back = vec![0; size];
            stream.read_exact(&mut back).await.unwrap();
            assert_eq!(back, bytes);
        }
        stream.close().await.unwrap();
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        assert_eq!(echo.await, (1..100).sum());
    });
}

pub const MEGA: usize = 1 << 20;

/// One task reads `BYTES` from a stream, and another writes as many to it.
async fn both_ways(
    reactor: &Handle,
    mut reader: impl AsyncRead + Unpin + 'static,
    mut writer: impl AsyncWrite + Unpin + 'static,
    bytes: usize,
) {
    let reads = reactor.spawn_local(async move { receive(&mut reader, 10_007).await.unwrap() });
    let writes = reactor.spawn_local(async move {
        send(&mut writer, 0..bytes, 40_009).await.unwrap();
        writer.close().await.unwrap();
    });
    writes.await;
    assert_eq!(reads.await, bytes);
}

/// Behaviour 49: by a clone, by halves, and by reference.
fn one_task_reads_and_another_writes_one_stream(world: &World) {
    task(world, |reactor| async move {
        let (near, far) = tcp(&reactor);
        let cloned = both_ways(&reactor, near.clone(), near, MEGA);
        future::zip(cloned, both_ways(&reactor, far.clone(), far, MEGA)).await;
        let (near, far) = UnixStream::pair(&reactor).unwrap();
        let ((reader, writer), (far_reader, far_writer)) = (near.split(), far.split());
        let split = both_ways(&reactor, reader, writer, MEGA);
        future::zip(split, both_ways(&reactor, far_reader, far_writer, MEGA)).await;
        let (near, far) = tcp(&reactor);
        let ends = [&near, &far].map(|end| async move {
            let (mut reader, mut writer) = (end, end);
            let writes = async {
                send(&mut writer, 0..MEGA, 40_009).await.unwrap();
                writer.close().await.unwrap();
            };
            assert_eq!(future::zip(receive(&mut reader, 10_007), writes).await.0.unwrap(), MEGA);
        });
        let [one, other] = ends;
        future::zip(one, other).await;
    });
}

/// Behaviour 51, 52: each byte is checked, over TCP and over a Unix socket.
fn eight_mebibytes_go_each_way_at_once(world: &World) {
    task(world, |reactor| async move {
        let (near, far) = tcp(&reactor);
        let one = both_ways(&reactor, near.clone(), near, 8 * MEGA);
        future::zip(one, both_ways(&reactor, far.clone(), far, 8 * MEGA)).await;
        let (near, far) = UnixStream::pair(&reactor).unwrap();
        let one = both_ways(&reactor, near.clone(), near, 8 * MEGA);
        future::zip(one, both_ways(&reactor, far.clone(), far, 8 * MEGA)).await;
    });
}

/// Issue point 2.
fn vectored_reads_and_writes_keep_the_order(world: &World) {
    task(world, |reactor| async move {
        let (mut near, mut far) = tcp(&reactor);
        let parts: [&[u8]; 4] = [b"a", b"", b"bcd", b"efghij"];
        let written = near.write_vectored(&parts.map(IoSlice::new)).await.unwrap();
        assert_eq!(written, 10);
        let (mut one, mut two, mut three) = ([0; 2], [0; 3], [0; 10]);
        let mut read = 0;
        while read < 10 {
            // What came is taken from the first of them on; here all comes at once.
            let mut parts =
                [IoSliceMut::new(&mut one), IoSliceMut::new(&mut two), IoSliceMut::new(&mut three)];
            read += far.read_vectored(&mut parts).await.unwrap();
        }
        assert_eq!((&one, &two, &three[..5]), (b"ab", b"cde", &b"fghij"[..]));
    });
}

/// Issue point 2.
fn what_is_peeked_at_is_read_again(world: &World) {
    task(world, |reactor| async move {
        let (mut near, mut far) = tcp(&reactor);
        let peeks = near.clone();
        let peeked = reactor.spawn_local(async move {
            let mut bytes = [0; 8];
            let length = peeks.peek(&mut bytes).await.unwrap();
            bytes[..length].to_vec()
        });
        yield_now().await;
        far.write_all(b"hello").await.unwrap();
        let peeked = peeked.await;
        assert!(!peeked.is_empty() && b"hello".starts_with(&peeked));
        let mut bytes = [0; 5];
        near.read_exact(&mut bytes).await.unwrap();
        assert_eq!(&bytes, b"hello");
    });
}

/// Behaviour 50: on an empty stream, and on a full one.
fn reads_and_writes_of_nothing_do_not_wait(world: &World) {
    task(world, |reactor| async move {
        let (mut near, mut far) = tcp(&reactor);
        for _ in 0..2 {
            assert_eq!(once(near.read(&mut [])).await.unwrap().unwrap(), 0);
            assert_eq!(once(near.read_vectored(&mut [])).await.unwrap().unwrap(), 0);
            // It finds nothing, and that is remembered.
            assert!(once(near.read(&mut [0])).await.is_none());
        }
        fill(&mut near).await;
        assert_eq!(once(near.write(&[])).await.unwrap().unwrap(), 0);
        assert_eq!(once(near.write_vectored(&[])).await.unwrap().unwrap(), 0);
        far.write_all(b"x").await.unwrap();
        let mut byte = [0];
        assert_eq!(near.read(&mut byte).await.unwrap(), 1);
        assert_eq!(&byte, b"x");
    });
}

/// Two ends with small buffers.
pub fn narrow(reactor: &Handle) -> (TcpStream, TcpStream) {
    let (near, far) = tcp(reactor);
    for end in [&near, &far] {
        SockRef::from(end).set_send_buffer_size(32 * 1024).unwrap();
        SockRef::from(end).set_recv_buffer_size(32 * 1024).unwrap();
    }
    (near, far)
}

/// Behaviour 52: and the writer goes on when the reader does.
fn a_reader_that_does_not_read_bounds_the_writer(world: &World) {
    const MOST: usize = MEGA;
    task(world, |reactor| async move {
        let (mut near, mut far) = narrow(&reactor);
        let sent = Rc::new(Cell::new(0));
        let count = Rc::clone(&sent);
        let writes = reactor.spawn_local(async move {
            while count.get() < 8 * MOST {
                let place = count.get();
                send(&mut near, place..place + 1024, 1024).await.unwrap();
                count.set(place + 1024);
            }
        });
        // The window of the peer closes a little after the last write.
        let mut rounds = 0;
        while rounds < 100 {
            let before = sent.get();
            reactor.sleep(Duration::ZERO).await;
            rounds = if sent.get() == before { rounds + 1 } else { 0 };
            assert!(sent.get() < MOST, "{} bytes that nobody reads", sent.get());
        }
        assert!(!writes.is_finished());
        let polls = reactor.stats().polls;
        for _ in 0..100 {
            reactor.sleep(Duration::ZERO).await;
        }
        // The task here is polled too, and the writer when the window has moved once more.
        let spent = reactor.stats().polls - polls;
        assert!(spent < 150, "{spent} polls of a writer that waits");
        let reads = reactor.spawn_local(async move { receive(&mut far, 4096).await.unwrap() });
        writes.await;
        assert_eq!(reads.await, 8 * MOST);
    });
}

/// Behaviour 57, 22: it never has to wait, and lets a timer and another task have their turns.
fn a_stream_that_is_always_ready_starves_nobody(world: &World) {
    task(world, |reactor| async move {
        let (mut near, mut far) = UnixStream::pair(&reactor).unwrap();
        let (fired, yields) = (Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        let count = Rc::clone(&fired);
        let timer = reactor.every(Duration::from_millis(1), move || {
            count.set(count.get() + 1);
            ControlFlow::Continue(())
        });
        let count = Rc::clone(&yields);
        let other = reactor.spawn_local(async move {
            loop {
                count.set(count.get() + 1);
                yield_now().await;
            }
        });
        let limit = Instant::now() + LIMIT;
        let mut operations = 0_u64;
        while fired.get() < 20 || yields.get() < 20 {
            near.write_all(b"x").await.unwrap();
            assert_eq!(far.read(&mut [0]).await.unwrap(), 1);
            operations += 2;
            assert!(Instant::now() < limit, "nobody else runs in {operations} operations");
        }
        assert!(operations > 20);
        drop((timer, other));
    });
}

/// Behaviour 57: sleeps of no length, one after the other.
fn a_task_that_never_sleeps_long_starves_no_stream(world: &World) {
    task(world, |reactor| async move {
        let (mut near, mut far) = tcp(&reactor);
        let reads = reactor.spawn_local(async move { receive(&mut near, 16).await.unwrap() });
        let limit = Instant::now() + LIMIT / 2;
        send(&mut far, 0..10, 10).await.unwrap();
        drop(far);
        while !reads.is_finished() {
            reactor.sleep(Duration::ZERO).await;
            assert!(Instant::now() < limit, "{:?}", reactor.stats());
        }
        assert_eq!(reads.await, 10);
    });
}

/// Behaviour 49.
fn two_tasks_that_wait_to_read_one_stream_both_read(world: &World) {
    task(world, |reactor| async move {
        let (near, mut far) = tcp(&reactor);
        for _ in 0..100 {
            let reads = [near.clone(), near.clone()].map(|mut stream| {
                reactor.spawn_local(async move { stream.read(&mut [0]).await.unwrap() })
            });
            yield_now().await;
            far.write_all(b"a").await.unwrap();
            yield_now().await;
            far.write_all(b"b").await.unwrap();
            for read in reads {
                assert_eq!(read.await, 1);
            }
        }
    });
}

/// Issue point 2: those that a stream has by name, and all others through `socket2`.
fn options_are_those_of_the_socket(world: &World) {
    task(world, |reactor| async move {
        let (near, _far) = tcp(&reactor);
        for on in [true, false] {
            near.set_nodelay(on).unwrap();
            assert_eq!((near.nodelay().unwrap(), near.get_ref().nodelay().unwrap()), (on, on));
        }
        near.set_ttl(7).unwrap();
        assert_eq!((near.ttl().unwrap(), near.get_ref().ttl().unwrap()), (7, 7));
        let options = SockRef::from(&near);
        near.set_keepalive(Some(Duration::from_secs(77))).unwrap();
        assert!(options.keepalive().unwrap());
        assert_eq!(options.tcp_keepalive_time().unwrap(), Duration::from_secs(77));
        near.set_keepalive(None).unwrap();
        assert!(!options.keepalive().unwrap());
        options.set_tcp_keepalive(&TcpKeepalive::new().with_retries(3)).unwrap();
        assert!(options.keepalive().unwrap() && options.tcp_keepalive_retries().unwrap() == 3);
        options.set_linger(Some(Duration::from_secs(2))).unwrap();
        assert_eq!(options.linger().unwrap(), Some(Duration::from_secs(2)));
    });
}
