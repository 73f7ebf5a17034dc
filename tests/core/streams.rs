//! Streams: two tasks at one stream, transfers both ways, what does not wait and what does.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{IoSlice, IoSliceMut, Write};
use std::ops::ControlFlow;
use std::rc::Rc;
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, StreamExt, future};
use interloop::Handle;
use interloop::net::{TcpListener, TcpStream, UnixStream};
use socket2::{SockRef, TcpKeepalive};

use crate::cases;
use crate::futures::yield_now;
use crate::sockets::{bytes_at, fill, once, receive, send, std_tcp, task, tcp};
use crate::world::{LIMIT, World};

cases!(
    what_is_written_comes_back,
    one_task_reads_and_another_writes_one_stream,
    eight_mebibytes_go_each_way_at_once,
    vectored_reads_and_writes_keep_the_order,
    what_is_peeked_at_is_read_again,
    reads_and_writes_of_nothing_do_not_wait,
    a_reader_that_does_not_read_bounds_the_writer,
    a_dropped_read_loses_nothing,
    a_dropped_write_is_not_written,
    a_dropped_wait_loses_no_readiness,
    a_stream_that_is_always_ready_starves_nobody,
    a_task_that_never_sleeps_long_starves_no_stream,
    two_tasks_that_wait_to_read_one_stream_both_read,
    a_handle_that_is_dropped_leaves_the_others_waiting,
    ten_thousand_connections_are_accepted,
    whoever_polls_a_listener_gets_each_connection_once,
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

const MEGA: usize = 1 << 20;

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
fn narrow(reactor: &Handle) -> (TcpStream, TcpStream) {
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

/// Behaviour 48: each byte, with thousands of reads that are dropped, with what they wait for
/// already there, on its way, and not there yet.
fn a_dropped_read_loses_nothing(world: &World) {
    const BYTES: usize = 20_000;
    task(world, |reactor| async move {
        let (near, mut far) = std_tcp();
        let mut near = TcpStream::new(&reactor, near).unwrap();
        let peer = thread::spawn(move || {
            let (mut place, mut chunk) = (0, 1);
            while place < BYTES {
                let end = BYTES.min(place + chunk);
                far.write_all(bytes_at(place..end)).unwrap();
                (place, chunk) = (end, chunk % 7 + 1);
                thread::yield_now();
            }
        });
        let (mut place, mut dropped, mut bytes) = (0, 0, [0; 5]);
        loop {
            // Some are dropped at once, and some when a timer has run.
            let read = if dropped % 2 == 0 {
                once(near.read(&mut bytes)).await
            } else {
                let read = async { Some(near.read(&mut bytes).await) };
                let timer = async {
                    reactor.sleep(Duration::ZERO).await;
                    None
                };
                future::or(read, timer).await
            };
            let Some(read) = read else {
                dropped += 1;
                yield_now().await;
                continue;
            };
            let read = read.unwrap();
            if read == 0 {
                break;
            }
            assert_eq!(bytes[..read], *bytes_at(place..place + read));
            place += read;
        }
        assert_eq!(place, BYTES);
        assert!(dropped > 0);
        peer.join().unwrap();
    });
}

/// Behaviour 48: what was dropped has sent nothing, and what has ended has sent what it says.
fn a_dropped_write_is_not_written(world: &World) {
    const BYTES: usize = 2 * MEGA;
    task(world, |reactor| async move {
        let (mut near, mut far) = narrow(&reactor);
        let reads = reactor.spawn_local(async move { receive(&mut far, 4096).await.unwrap() });
        let (mut place, mut dropped) = (0, 0);
        while place < BYTES {
            let bytes = bytes_at(place..BYTES.min(place + 30_011));
            match once(near.write(bytes)).await {
                Some(written) => place += written.unwrap(),
                None => {
                    dropped += 1;
                    yield_now().await;
                }
            }
        }
        assert!(dropped > 0);
        drop(near);
        assert_eq!(reads.await, BYTES);
    });
}

/// Behaviour 48: with others that wait for the same, and alone.
fn a_dropped_wait_loses_no_readiness(world: &World) {
    task(world, |reactor| async move {
        let (near, far) = UnixStream::pair(&reactor).unwrap();
        let (mut reader, mut writer) = (near.clone(), near);
        let mut far = far;
        for round in 0..300 {
            let object = reader.clone();
            let other = (round % 3 == 0).then(|| {
                let object = object.clone();
                reactor.spawn_local(async move { object.as_async().readable().await })
            });
            assert!(once(object.as_async().readable()).await.is_none());
            if round % 2 == 0 {
                yield_now().await;
            }
            far.write_all(b"x").await.unwrap();
            if let Some(other) = other {
                other.await.unwrap();
            }
            object.as_async().readable().await.unwrap();
            assert_eq!(reader.read(&mut [0; 4]).await.unwrap(), 1);
        }
        for _ in 0..20 {
            let mut left = fill(&mut writer).await;
            assert!(once(writer.as_async().writable()).await.is_none());
            let mut bytes = vec![0; 65536];
            while left > 0 {
                left -= far.read(&mut bytes).await.unwrap();
            }
            writer.as_async().writable().await.unwrap();
        }
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

/// Behaviour 49: the connection lives until the last one is gone.
fn a_handle_that_is_dropped_leaves_the_others_waiting(world: &World) {
    task(world, |reactor| async move {
        let (near, mut far) = tcp(&reactor);
        let mut clone = near.clone();
        let reads = reactor.spawn_local(async move {
            let mut bytes = [0; 2];
            clone.read_exact(&mut bytes).await.unwrap();
            bytes
        });
        let mut clone = near.clone();
        let dropped = reactor.spawn_local(async move {
            let mut byte = [0];
            let mut wait = clone.read(&mut byte);
            poll_fn(|cx| {
                assert!(std::pin::Pin::new(&mut wait).poll(cx).is_pending());
                Poll::Ready(())
            })
            .await;
        });
        dropped.await;
        drop(near);
        far.write_all(b"xy").await.unwrap();
        assert_eq!(&reads.await, b"xy");
        // Its last handle is gone.
        assert_eq!(far.read(&mut [0]).await.unwrap(), 0);
    });
}

/// Behaviour 52: two hundred at a time, each with a byte there and back.
fn ten_thousand_connections_are_accepted(world: &World) {
    const BATCH: u32 = 200;
    const CONNECTIONS: u32 = 10_000;
    task(world, |reactor| async move {
        let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let accepted = Rc::new(Cell::new(0));
        let (count, inner) = (Rc::clone(&accepted), reactor.clone());
        let server = reactor.spawn_local(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                count.set(count.get() + 1);
                let echo = inner.spawn_local(async move {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).await.unwrap();
                    stream.write_all(&byte).await.unwrap();
                    // The client hangs up first, and with a reset.
                    let _reset = stream.read(&mut byte).await;
                });
                echo.detach();
            }
        });
        for _ in 0..CONNECTIONS / BATCH {
            let clients: Vec<_> = (0..BATCH)
                .map(|number| {
                    let connect = TcpStream::connect(&reactor, address);
                    reactor.spawn_local(async move {
                        let mut stream = connect.await.unwrap();
                        let mut byte = [number as u8];
                        stream.write_all(&byte).await.unwrap();
                        stream.read_exact(&mut byte).await.unwrap();
                        assert_eq!(byte, [number as u8]);
                        // Without it the machine would run out of ports to connect from.
                        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
                    })
                })
                .collect();
            for client in clients {
                client.await;
            }
        }
        assert_eq!(accepted.get(), CONNECTIONS);
        drop(server);
    });
}

/// Issue point 2: by `poll_accept`, as a stream, and by `accept`; what was polled in vain is there for
/// the next.
fn whoever_polls_a_listener_gets_each_connection_once(world: &World) {
    task(world, |reactor| async move {
        let listener = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        for _ in 0..20 {
            assert!(once(listener.accept()).await.is_none());
            assert!(once(poll_fn(|cx| listener.poll_accept(cx))).await.is_none());
            assert!(once(listener.incoming().next()).await.is_none());
            let clients = [(); 3].map(|()| TcpStream::connect(&reactor, address));
            let mut ports = Vec::new();
            for client in clients {
                let client = client.await.unwrap();
                ports.push(client.local_addr().unwrap());
            }
            let (first, peer) = poll_fn(|cx| listener.poll_accept(cx)).await.unwrap();
            assert_eq!(first.peer_addr().unwrap_or(peer), peer);
            let second = listener.incoming().next().await.unwrap().unwrap();
            let (_third, last) = listener.accept().await.unwrap();
            assert_eq!([peer, second.peer_addr().unwrap_or(ports[1]), last], *ports);
        }
        // They wait at once, and none of them is forgotten.
        let listener = Rc::new(listener);
        let (by_poll, by_stream) = (Rc::clone(&listener), Rc::clone(&listener));
        let polls = poll_fn(move |cx| by_poll.poll_accept(cx).map_ok(|(stream, _)| stream));
        let streams = async move { by_stream.incoming().next().await.unwrap() };
        let accepts = async move { listener.accept().await.map(|(stream, _)| stream) };
        let all = [
            reactor.spawn_local(polls),
            reactor.spawn_local(streams),
            reactor.spawn_local(accepts),
        ];
        yield_now().await;
        let mut clients = Vec::new();
        for _ in 0..3 {
            clients.push(TcpStream::connect(&reactor, address).await.unwrap());
        }
        for accepted in all {
            accepted.await.unwrap().write_all(b"x").await.unwrap();
        }
        for mut client in clients {
            assert_eq!(client.read(&mut [0; 4]).await.unwrap(), 1);
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
