//! Listeners, and whoever accepts.

use std::cell::Cell;
use std::future::poll_fn;
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt, StreamExt};
use interloop::net::{TcpListener, TcpStream};
use socket2::SockRef;

use crate::cases;
use crate::futures::yield_now;
use crate::sockets::{once, task};
use crate::world::World;

cases!(ten_thousand_connections_are_accepted, whoever_polls_a_listener_gets_each_connection_once,);

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
