//! Datagrams: UDP, and Unix sockets that keep them.

use std::cell::RefCell;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};

use interloop::Phase;
use interloop::net::{UdpSocket, UnixDatagram, lookup};
use socket2::SockRef;

use crate::cases;
use crate::futures::yield_now;
use crate::pairs::{Heard, settled};
use crate::sockets::{once, task};
use crate::world::{LIMIT, World};

cases!(
    a_datagram_comes_back_to_who_sent_it,
    each_datagram_goes_to_one_of_many_tasks,
    a_connected_socket_hears_its_peer_only,
    a_refusal_does_not_end_a_connected_socket,
    a_dropped_receive_loses_no_datagram,
    a_group_hears_what_is_sent_to_it,
    who_has_left_a_group_hears_it_no_more,
    unix_datagrams_go_both_ways,
    a_full_unix_socket_is_waited_for,
    errors_name_what_was_to_be_bound,
    nothing_is_sent_and_no_name_looked_up_once_the_sources_are_closed,
);

const LOOPBACK: (Ipv4Addr, u16) = (Ipv4Addr::LOCALHOST, 0);

/// Behaviour 49: an empty one too, and one that was peeked at.
fn a_datagram_comes_back_to_who_sent_it(world: &World) {
    task(world, |reactor| async move {
        let server = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        let client = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        let (to, from) = (server.local_addr().unwrap(), client.local_addr().unwrap());
        let echo = reactor.spawn_local(async move {
            let mut bytes = [0; 2000];
            loop {
                let (length, peer) = server.recv_from(&mut bytes).await.unwrap();
                assert_eq!(peer, from);
                server.send_to(&bytes[..length], peer).await.unwrap();
            }
        });
        let mut bytes = [1; 2000];
        for length in [0, 1, 100, 1400] {
            assert_eq!(client.send_to(&[7; 1400][..length], to).await.unwrap(), length);
            assert_eq!(client.peek_from(&mut bytes).await.unwrap(), (length, to));
            assert_eq!(client.recv_from(&mut bytes).await.unwrap(), (length, to));
            assert!(bytes[..length].iter().all(|byte| *byte == 7));
        }
        drop(echo);
    });
}

/// Behaviour 49.
fn each_datagram_goes_to_one_of_many_tasks(world: &World) {
    const TASKS: usize = 20;
    task(world, |reactor| async move {
        let socket = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        let sender = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        sender.connect(socket.local_addr().unwrap()).unwrap();
        let heard = Heard::new();
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (socket, heard) = (socket.clone(), heard.clone());
                reactor.spawn_local(async move {
                    let mut number = [0; 4];
                    loop {
                        socket.recv_from(&mut number).await.unwrap();
                        heard.tell(u32::from_le_bytes(number));
                    }
                })
            })
            .collect();
        yield_now().await;
        for round in 0..20_u32 {
            // No more at a time than the kernel keeps for a socket.
            let numbers = round * 50..(round + 1) * 50;
            for number in numbers.clone() {
                sender.send(&number.to_le_bytes()).await.unwrap();
            }
            let mut all = heard.take(50).await;
            all.sort_unstable();
            assert!(all.into_iter().eq(numbers));
        }
        assert_eq!(heard.rest(), []);
        drop(tasks);
    });
}

/// Issue point 2.
fn a_connected_socket_hears_its_peer_only(world: &World) {
    task(world, |reactor| async move {
        let sockets = [(); 3].map(|()| UdpSocket::bind(&reactor, LOOPBACK).unwrap());
        let [one, other, stranger] = &sockets;
        one.connect(other.local_addr().unwrap()).unwrap();
        other.connect(one.local_addr().unwrap()).unwrap();
        assert_eq!(one.peer_addr().unwrap(), other.local_addr().unwrap());
        stranger.send_to(b"stranger", one.local_addr().unwrap()).await.unwrap();
        other.send(b"peer").await.unwrap();
        let mut bytes = [0; 20];
        let length = one.recv(&mut bytes).await.unwrap();
        assert_eq!(&bytes[..length], b"peer");
        one.send(b"back").await.unwrap();
        assert_eq!(other.recv(&mut bytes).await.unwrap(), 4);
        assert!(once(one.recv(&mut bytes)).await.is_none());
    });
}

/// Issue point 2: nobody listened at first, and then somebody does.
fn a_refusal_does_not_end_a_connected_socket(world: &World) {
    task(world, |reactor| async move {
        let peer = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        let address = peer.local_addr().unwrap();
        let socket = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        socket.connect(address).unwrap();
        drop(peer);
        settled(&reactor).await;
        let waiting = socket.clone();
        let receives = reactor.spawn_local(async move { waiting.recv(&mut [0; 9]).await });
        yield_now().await;
        // Who of the two hears it is up to the operating system; over libkqueue, the event does.
        for _ in 0..3 {
            if let Err(error) = socket.send(b"anybody?").await {
                assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            }
            yield_now().await;
        }
        let peer = UdpSocket::bind(&reactor, address).unwrap();
        if receives.is_finished() {
            assert_eq!(receives.await.unwrap_err().kind(), ErrorKind::ConnectionRefused);
        } else {
            drop(receives);
        }
        let own = socket.local_addr().unwrap();
        let mut bytes = [0; 9];
        peer.send_to(b"here", own).await.unwrap();
        loop {
            match socket.recv(&mut bytes).await {
                Ok(length) => break assert_eq!(&bytes[..length], b"here"),
                Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionRefused),
            }
        }
        socket.send(b"there").await.unwrap();
        assert_eq!(peer.recv_from(&mut bytes).await.unwrap(), (5, own));
    });
}

/// Behaviour 48.
fn a_dropped_receive_loses_no_datagram(world: &World) {
    task(world, |reactor| async move {
        let socket = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        let address = socket.local_addr().unwrap();
        let mut bytes = [0; 4];
        for number in 0..1000_u32 {
            assert!(once(socket.recv_from(&mut bytes)).await.is_none());
            socket.send_to(&number.to_le_bytes(), address).await.unwrap();
            // Whether it is known to have come or not.
            let received = match once(socket.recv_from(&mut bytes)).await {
                Some(received) => received,
                None => socket.recv_from(&mut bytes).await,
            };
            assert_eq!((received.unwrap().0, u32::from_le_bytes(bytes)), (4, number));
        }
    });
}

/// Issue point 2, on the loopback.
fn a_group_hears_what_is_sent_to_it(world: &World) {
    const GROUP: Ipv4Addr = Ipv4Addr::new(239, 77, 1, 1);
    task(world, |reactor| async move {
        let member = UdpSocket::bind(&reactor, (Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        // On the loopback, for machines without a network.
        if let Err(error) = member.get_ref().join_multicast_v4(&GROUP, &Ipv4Addr::LOCALHOST) {
            return println!("no multicast here: {error}");
        }
        let sender = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        SockRef::from(sender.get_ref()).set_multicast_if_v4(&Ipv4Addr::LOCALHOST).unwrap();
        sender.set_multicast_loop(true).unwrap();
        sender.set_multicast_ttl(1).unwrap();
        let port = member.local_addr().unwrap().port();
        sender.send_to(b"all", SocketAddr::from((GROUP, port))).await.unwrap();
        let mut bytes = [0; 9];
        let from = sender.local_addr().unwrap();
        assert_eq!(member.recv_from(&mut bytes).await.unwrap(), (3, from));
        let never = member.leave_multicast(IpAddr::V4(Ipv4Addr::new(239, 77, 9, 9))).unwrap_err();
        assert!(never.to_string().starts_with("leave 239.77.9.9: "), "{never}");
    });
}

/// Issue point 2: on the interface that the operating system takes.
fn who_has_left_a_group_hears_it_no_more(world: &World) {
    // A group of its own: on Linux a socket hears all those that anybody on the machine has joined.
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let [.., high, low] = std::process::id().to_be_bytes();
    let group = Ipv4Addr::new(239, NEXT.fetch_add(1, Ordering::Relaxed) as u8, high, low);
    task(world, move |reactor| async move {
        let member = UdpSocket::bind(&reactor, (group, 0)).unwrap();
        if let Err(error) = member.join_multicast(group.into()) {
            assert!(error.to_string().starts_with(&format!("join {group}: ")), "{error}");
            return println!("no multicast here: {error}");
        }
        let to = SocketAddr::from((group, member.local_addr().unwrap().port()));
        let sender = UdpSocket::bind(&reactor, (Ipv4Addr::UNSPECIFIED, 0)).unwrap();
        // No further than this machine.
        sender.set_multicast_ttl(0).unwrap();
        let mut bytes = [0; 9];
        sender.set_multicast_loop(true).unwrap();
        sender.send_to(b"joined", to).await.unwrap();
        assert_eq!(member.recv_from(&mut bytes).await.unwrap().0, 6);
        let again = member.join_multicast(group.into()).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::AddrInUse);
        member.leave_multicast(group.into()).unwrap();
        sender.send_to(b"left", to).await.unwrap();
        // Behind it comes what a member hears.
        member.join_multicast(group.into()).unwrap();
        sender.send_to(b"again", to).await.unwrap();
        let length = member.recv_from(&mut bytes).await.unwrap().0;
        assert_eq!(&bytes[..length], b"again");
    });
}

/// A path that nobody else has, in the folder of the machine for such, and removed at the end.
pub struct Place(pub PathBuf);

impl Place {
    pub fn new() -> Place {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("interloop-{}-{number}.socket", std::process::id());
        Place(std::env::temp_dir().join(name))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        // One that was never bound is not there.
        let _absent = std::fs::remove_file(&self.0);
    }
}

/// Issue point 2: in a pair, by their paths, and to a peer.
fn unix_datagrams_go_both_ways(world: &World) {
    task(world, |reactor| async move {
        let mut bytes = [0; 9];
        let (one, other) = UnixDatagram::pair(&reactor).unwrap();
        for (from, to) in [(&one, &other), (&other, &one)] {
            assert!(once(to.recv(&mut bytes)).await.is_none());
            from.send(b"pair").await.unwrap();
            assert_eq!(to.recv(&mut bytes).await.unwrap(), 4);
        }
        let (place, other_place) = (Place::new(), Place::new());
        let one = UnixDatagram::bind(&reactor, &place.0).unwrap();
        let other = UnixDatagram::bind(&reactor, &other_place.0).unwrap();
        one.send_to(b"by path", &other_place.0).await.unwrap();
        let (length, from) = other.recv_from(&mut bytes).await.unwrap();
        assert_eq!((length, from.as_pathname()), (7, Some(place.0.as_path())));
        let unbound = UnixDatagram::unbound(&reactor).unwrap();
        unbound.connect(&place.0).unwrap();
        unbound.send(b"to one").await.unwrap();
        assert_eq!(one.recv_from(&mut bytes).await.unwrap().0, 6);
    });
}

/// Behaviour 52.
fn a_full_unix_socket_is_waited_for(world: &World) {
    task(world, |reactor| async move {
        let (one, other) = UnixDatagram::pair(&reactor).unwrap();
        let sent = Rc::new(RefCell::new(0_u32));
        let count = Rc::clone(&sent);
        let sends = reactor.spawn_local(async move {
            for number in 0..5000_u32 {
                one.send(&number.to_le_bytes()).await.unwrap();
                *count.borrow_mut() += 1;
            }
        });
        for _ in 0..200 {
            yield_now().await;
        }
        assert!(!sends.is_finished(), "{} that nobody receives", sent.borrow());
        let mut bytes = [0; 4];
        for number in 0..5000_u32 {
            assert_eq!(other.recv(&mut bytes).await.unwrap(), 4);
            assert_eq!(u32::from_le_bytes(bytes), number);
        }
        sends.await;
    });
}

/// Issue point 2.
fn errors_name_what_was_to_be_bound(world: &World) {
    task(world, |reactor| async move {
        let taken = UdpSocket::bind(&reactor, LOOPBACK).unwrap();
        let address = taken.local_addr().unwrap();
        let error = UdpSocket::bind(&reactor, address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&format!("bind to {address}: ")), "{error}");
        let place = Place::new();
        let taken = UnixDatagram::bind(&reactor, &place.0).unwrap();
        let error = UnixDatagram::bind(&reactor, &place.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().contains(place.0.to_str().unwrap()), "{error}");
        drop(taken);
    });
}

/// Behaviour 35.
fn nothing_is_sent_and_no_name_looked_up_once_the_sources_are_closed(world: &World) {
    let reactor = world.reactor();
    let place = Place::new();
    let peer = std::os::unix::net::UnixDatagram::bind(&place.0).unwrap();
    peer.set_nonblocking(true).unwrap();
    let socket = UnixDatagram::unbound(&reactor).unwrap();
    let heard = Rc::new(RefCell::new(Vec::new()));
    let (tell, sender, path) = (Rc::clone(&heard), socket.clone(), place.0.clone());
    let handle = reactor.handle();
    let closed = reactor.on_shutdown(Phase::During, async move {
        let sent = sender.send_to(b"x", &path).await.unwrap_err();
        let found = lookup(&handle, ("name.invalid", 1)).await.unwrap_err();
        tell.borrow_mut().extend([sent.kind(), found.kind()]);
    });
    closed.unwrap().detach();
    assert!(reactor.finish(LIMIT).unwrap().is_clean());
    futures_lite::future::block_on(async {
        let sent = socket.send_to(b"x", &place.0).await.unwrap_err();
        let found = lookup(&reactor, ("name.invalid", 1)).await.unwrap_err();
        heard.borrow_mut().extend([sent.kind(), found.kind()]);
    });
    assert_eq!(*heard.borrow(), [ErrorKind::NotConnected; 4]);
    assert_eq!(peer.recv(&mut [0; 2]).unwrap_err().kind(), ErrorKind::WouldBlock);
}
