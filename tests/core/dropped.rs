//! Reads, writes, waits and handles that are dropped, and what is left to the others.

use std::future::poll_fn;
use std::io::Write;
use std::task::Poll;
use std::thread;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, future};
use interloop::net::{TcpStream, UnixStream};

use crate::cases;
use crate::futures::yield_now;
use crate::sockets::{bytes_at, fill, once, receive, std_tcp, task, tcp};
use crate::streams::{MEGA, narrow};
use crate::world::World;

cases!(
    a_dropped_read_loses_nothing,
    a_dropped_write_is_not_written,
    a_dropped_wait_loses_no_readiness,
    a_handle_that_is_dropped_leaves_the_others_waiting,
);

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
