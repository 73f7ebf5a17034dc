//! Faults of the async layer that were found once, each by the case that keeps it away.

use std::cell::Cell;
use std::future::poll_fn;
use std::io::{IoSlice, Write};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use futures_lite::{AsyncRead, AsyncReadExt, AsyncWrite};
use interloop::net::{TcpListener, TcpStream, UnixDatagram, UnixStream, lookup};
use interloop::{Handle, Phase};

use crate::cases;
use crate::futures::yield_now;
use crate::pairs::script;
use crate::world::{LIMIT, World};

cases!(
    a_read_that_urgent_data_cut_short_is_followed_by_the_rest,
    a_read_that_descriptors_cut_short_is_followed_by_the_rest,
    a_write_of_very_many_parts_goes_on,
    one_task_that_waits_to_read_and_to_write_hears_of_both,
    a_future_of_block_on_that_wakes_itself_starves_nobody,
    a_loop_around_connects_that_fail_at_once_starves_nobody,
    look_ups_that_nobody_polls_stop_no_other,
    a_datagram_to_a_full_peer_is_sent_when_there_is_room,
    a_closure_that_begins_late_in_a_shutdown_is_waited_for,
    a_scope_is_not_lost,
);

async fn connected(reactor: &Handle) -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind(reactor, "127.0.0.1:0").unwrap();
    let near = TcpStream::connect(reactor, listener.local_addr().unwrap()).await.unwrap();
    (near, listener.accept().await.unwrap().0)
}

/// Reads until `wanted` has come.
async fn expect(mut from: impl AsyncRead + Unpin, wanted: &[u8]) {
    let (mut seen, mut bytes) = (Vec::<u8>::new(), [0; 64]);
    while seen.len() < wanted.len() {
        let read = from.read(&mut bytes).await.unwrap();
        assert!(read > 0, "it ended after {seen:?}");
        seen.extend(&bytes[..read]);
    }
    assert_eq!(seen, wanted);
}

fn a_read_that_urgent_data_cut_short_is_followed_by_the_rest(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            for _ in 0..10 {
                let (near, far) = connected(&reactor).await;
                let far = socket2::SockRef::from(far.get_ref()).try_clone().unwrap();
                far.send(b"abc").unwrap();
                far.send_out_of_band(b"!").unwrap();
                far.send(b"def").unwrap();
                // The urgent byte is not in the stream.
                expect(&near, b"abcdef").await;
            }
        }
    });
}

fn a_read_that_descriptors_cut_short_is_followed_by_the_rest(world: &World) {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    use std::os::fd::AsFd;

    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, far) = UnixStream::pair(&reactor).unwrap();
            let sent = [far.as_fd()];
            let mut space = [std::mem::MaybeUninit::uninit(); 64];
            let mut control = SendAncillaryBuffer::new(&mut space);
            assert!(control.push(SendAncillaryMessage::ScmRights(&sent)));
            sendmsg(far.get_ref(), &[IoSlice::new(b"abc")], &mut control, SendFlags::empty())
                .unwrap();
            (&mut far.get_ref()).write_all(b"def").unwrap();
            expect(&near, b"abcdef").await;
        }
    });
}

fn a_write_of_very_many_parts_goes_on(world: &World) {
    const PARTS: usize = 5_000;
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (near, mut far) = connected(&reactor).await;
            let mut sent = 0;
            while sent < PARTS {
                let parts = vec![IoSlice::new(b"x"); PARTS - sent];
                sent +=
                    poll_fn(|cx| Pin::new(&mut far).poll_write_vectored(cx, &parts)).await.unwrap();
            }
            expect(&near, &[b'x'; PARTS]).await;
        }
    });
}

fn one_task_that_waits_to_read_and_to_write_hears_of_both(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            let (mut near, far) = UnixStream::pair(&reactor).unwrap();
            // Until neither a read nor a write finds anything.
            let full = [0; 4096];
            poll_fn(|cx| {
                while Pin::new(&mut near).poll_write(cx, &full).is_ready() {}
                let read = Pin::new(&mut near).poll_read(cx, &mut [0; 8]);
                assert!(read.is_pending());
                Poll::Ready(())
            })
            .await;
            // Room comes first, and the task does not look whether there is anything to read.
            let drained = Rc::new(Cell::new(false));
            let mut step = 0;
            let mut bytes = [0; 8];
            poll_fn(|cx| {
                if step == 0 {
                    let mut sink = [0; 4096];
                    while std::io::Read::read(&mut far.get_ref(), &mut sink).is_ok() {}
                    drained.set(true);
                    step = 1;
                    return Poll::Pending;
                }
                if step == 1 {
                    if Pin::new(&mut near).poll_write(cx, b"x").is_pending() {
                        return Poll::Pending;
                    }
                    step = 2;
                    (&mut far.get_ref()).write_all(b"data").unwrap();
                    return Poll::Pending;
                }
                Pin::new(&mut near).poll_read(cx, &mut bytes).map(|read| {
                    assert_eq!(read.unwrap(), 4);
                })
            })
            .await;
        }
    });
}

/// Behaviour 57.
fn a_future_of_block_on_that_wakes_itself_starves_nobody(world: &World) {
    let reactor = world.reactor();
    let (near, far) = UnixStream::pair(&reactor).unwrap();
    (&mut far.get_ref()).write_all(b"x").unwrap();
    let heard = Rc::new(Cell::new(false));
    let tell = Rc::clone(&heard);
    let task = reactor.spawn_local(async move {
        let mut near = near;
        // The first finds the byte, the second has to be told.
        for _ in 0..2 {
            near.read_exact(&mut [0]).await.unwrap();
            (&mut far.get_ref()).write_all(b"x").unwrap();
        }
        tell.set(true);
    });
    let spin = async {
        while !heard.get() {
            yield_now().await;
        }
    };
    reactor.block_on(reactor.timeout(LIMIT, spin)).unwrap().unwrap();
    drop(task);
}

fn a_loop_around_connects_that_fail_at_once_starves_nobody(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        let retry = |handle: Handle| async move {
            loop {
                UnixStream::connect(&handle, "/nonexistent/socket").await.unwrap_err();
            }
        };
        let unix = reactor.spawn_local(retry(reactor.handle()));
        let handle = reactor.handle();
        let broadcast = reactor.spawn_local(async move {
            loop {
                TcpStream::connect(&handle, "255.255.255.255:1").await.unwrap_err();
            }
        });
        let handle = reactor.handle();
        let nowhere = reactor.spawn_local(async move {
            loop {
                lookup(&handle, "no port").await.unwrap_err();
            }
        });
        async move {
            reactor.sleep(Duration::from_millis(20)).await;
            drop((unix, broadcast, nowhere));
        }
    });
}

fn look_ups_that_nobody_polls_stop_no_other(world: &World) {
    let resting = world.reactor();
    let mut asleep: Vec<_> = (0..64).map(|_| lookup(&resting, "localhost:1")).collect();
    let mut cx = std::task::Context::from_waker(Waker::noop());
    for lookup in &mut asleep {
        let _ = lookup.as_mut().poll(&mut cx);
    }
    script(world, |reactor| {
        let found = lookup(reactor, "localhost:1");
        async move { assert!(!found.await.unwrap().is_empty()) }
    });
}

fn a_datagram_to_a_full_peer_is_sent_when_there_is_room(world: &World) {
    let folder = std::env::temp_dir();
    let path = folder.join(format!("interloop-{}-{:p}", std::process::id(), world));
    let bound = path.clone();
    script(world, |reactor| {
        let peer = UnixDatagram::bind(reactor, &bound).unwrap();
        let sender = UnixDatagram::unbound(reactor).unwrap();
        let reactor = reactor.handle();
        async move {
            while sender.get_ref().send_to(b"x", &bound).is_ok() {}
            let before = reactor.stats().turns;
            let waits = reactor.spawn_local({
                let (sender, bound) = (sender.clone(), bound.clone());
                async move { sender.send_to(b"last", &bound).await }
            });
            // Some rounds of its pauses.
            reactor.sleep(Duration::from_millis(60)).await;
            assert!(!waits.is_finished());
            assert!(reactor.stats().turns - before < 1_000, "it spins");
            let mut bytes = [0; 8];
            while peer.recv(&mut bytes).await.unwrap() != 4 {}
            assert_eq!(waits.await.unwrap(), 4);
        }
    });
    std::fs::remove_file(path).unwrap();
}

fn a_closure_that_begins_late_in_a_shutdown_is_waited_for(world: &World) {
    let reactor = world.reactor();
    let _host = world.host(&reactor);
    let ran = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let (tell, handle) = (std::sync::Arc::clone(&ran), reactor.handle());
    let remote = reactor.remote();
    let late = async move {
        let save = move || {
            // Each needs a turn: a reactor that does not wait has ended before the last.
            (0..10).for_each(|_| remote.call_blocking(|| ()).unwrap());
            tell.store(true, std::sync::atomic::Ordering::SeqCst);
        };
        handle.unblock(save).detach();
    };
    reactor.on_shutdown(Phase::During, late).unwrap().detach();
    let finished = reactor.finish(LIMIT).unwrap();
    assert!(finished.is_clean(), "{finished}");
    assert!(ran.load(std::sync::atomic::Ordering::SeqCst));
}

fn a_scope_is_not_lost(world: &World) {
    script(world, |reactor| {
        let found = lookup(reactor, ("fe80::1%lo", 80));
        async move {
            let found = found.await.unwrap();
            assert!(found.iter().all(|address| match address {
                std::net::SocketAddr::V6(address) => address.scope_id() != 0,
                std::net::SocketAddr::V4(_) => false,
            }));
        }
    });
}
