//! Connecting: what fails, what hangs, and which of several addresses wins.

use std::cell::{Cell, RefCell};
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use futures_lite::{AsyncReadExt, AsyncWriteExt};
use interloop::net::{
    LocalBoxFuture, Resolve, TcpListener, TcpStream, UnixListener, UnixStream, lookup,
};
use interloop::{BackendKind, Handle};

use crate::cases;
use crate::datagrams::Place;
use crate::futures::yield_now;
use crate::sockets::{nobody, once, task};
use crate::world::{LIMIT, World};

cases!(
    a_refused_connection_names_its_address,
    an_address_that_cannot_be_reached_is_an_error,
    a_connection_that_nobody_answers_ends_in_time,
    a_name_has_its_addresses_tried_in_turn,
    an_address_that_hangs_does_not_hold_the_next_one_up,
    a_family_that_hangs_does_not_hold_the_other_one_up,
    every_failure_is_in_the_error,
    a_name_that_does_not_exist_is_said_to_be,
    a_resolver_may_hold_a_handle_of_its_reactor,
    a_look_up_that_nobody_wants_is_dropped,
    a_thousand_look_ups_end_and_cancelled_ones_leave_room,
    a_unix_socket_that_is_not_there_is_named,
    a_full_unix_listener_is_tried_again,
    errors_name_what_was_to_be_listened_on,
);

/// Answers every name with the same addresses, or with an error; counts who asks.
struct Fixed(Result<Vec<IpAddr>, ErrorKind>, Rc<Cell<u32>>);

impl Resolve for Fixed {
    fn resolve(&self, _host: &str, port: u16) -> LocalBoxFuture<io::Result<Vec<SocketAddr>>> {
        self.1.set(self.1.get() + 1);
        let answer = self.0.clone();
        Box::pin(async move {
            yield_now().await;
            let addresses = answer.map_err(io::Error::from)?.into_iter();
            Ok(addresses.map(|address| SocketAddr::new(address, port)).collect())
        })
    }
}

fn fixed(addresses: &[IpAddr]) -> Fixed {
    Fixed(Ok(addresses.to_vec()), Rc::default())
}

const V4: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const V6: IpAddr = IpAddr::V6(Ipv6Addr::LOCALHOST);

/// Behaviour 53.
fn a_refused_connection_names_its_address(world: &World) {
    // Over libkqueue the event itself has taken the error.
    let takes_errors = world.backend == BackendKind::Kqueue && cfg!(target_os = "linux");
    task(world, move |reactor| async move {
        let address = nobody();
        let said = io::Error::from_raw_os_error(libc::ECONNREFUSED).to_string();
        for _ in 0..20 {
            let error = TcpStream::connect(&reactor, address).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
            let text = error.to_string();
            assert!(text.contains(&address.to_string()), "{text}");
            assert!(takes_errors || text.contains(&said), "{text}");
        }
        assert!(reactor.dump().sources.iter().all(|source| source.limbo));
    });
}

/// Behaviour 53: nothing connects to everybody.
fn an_address_that_cannot_be_reached_is_an_error(world: &World) {
    task(world, |reactor| async move {
        let address = SocketAddr::from((Ipv4Addr::BROADCAST, 9));
        let error = TcpStream::connect(&reactor, address).await.unwrap_err();
        assert!(error.to_string().starts_with("connect to 255.255.255.255:9: "), "{error}");
        assert_ne!(error.kind(), ErrorKind::TimedOut);
        for (target, kind) in
            [("no port", ErrorKind::InvalidInput), (":80", ErrorKind::InvalidInput)]
        {
            assert_eq!(TcpStream::connect(&reactor, target).await.unwrap_err().kind(), kind);
        }
    });
}

/// A listener that does not answer: nobody accepts, and its line is full.
fn silent(address: SocketAddr) -> (socket2::Socket, SocketAddr, Vec<socket2::Socket>) {
    let new = || {
        let domain = socket2::Domain::for_address(address);
        let socket = socket2::Socket::new(domain, socket2::Type::STREAM, None).unwrap();
        socket.set_nonblocking(true).unwrap();
        socket
    };
    let listener = new();
    listener.bind(&address.into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let line = (0..8)
        .map(|_| {
            let socket = new();
            let begun = socket.connect(&address).unwrap_err();
            assert_eq!(begun.raw_os_error(), Some(libc::EINPROGRESS));
            socket
        })
        .collect();
    (listener, address.as_socket().unwrap(), line)
}

/// Behaviour 53: by its own limit, and by being dropped.
fn a_connection_that_nobody_answers_ends_in_time(world: &World) {
    task(world, |reactor| async move {
        let (_listener, address, _line) = silent((V4, 0).into());
        let limit = Duration::from_millis(30);
        let error = TcpStream::connect_timeout(&reactor, address, limit).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let text = error.to_string();
        assert!(text.contains(&address.to_string()) && text.contains("30ms"), "{text}");
        assert!(once(TcpStream::connect(&reactor, address)).await.is_none());
        // Neither is watched any more.
        assert!(reactor.dump().sources.iter().all(|source| source.limbo));
    });
}

/// Connects to a name, and speaks with who listens.
async fn reaches(reactor: &interloop::Handle, listener: TcpListener) {
    let port = listener.local_addr().unwrap().port();
    let mut near = TcpStream::connect(reactor, ("some.name", port)).await.unwrap();
    let (mut far, peer) = listener.accept().await.unwrap();
    assert_eq!(near.local_addr().unwrap(), peer);
    far.write_all(b"x").await.unwrap();
    assert_eq!(near.read(&mut [0; 4]).await.unwrap(), 1);
}

/// Behaviour 53: IPv6 first and broken, IPv4 works.
fn a_name_has_its_addresses_tried_in_turn(world: &World) {
    task(world, |reactor| async move {
        let resolver = fixed(&[V6, V4]);
        let asked = Rc::clone(&resolver.1);
        reactor.set_resolver(resolver);
        reaches(&reactor, TcpListener::bind(&reactor, "127.0.0.1:0").unwrap()).await;
        assert_eq!(asked.get(), 1);
        let addresses = lookup(&reactor, "some.name:7").await.unwrap();
        assert_eq!(addresses, [SocketAddr::from((V6, 7)), SocketAddr::from((V4, 7))]);
        // An address is not looked up.
        assert_eq!(lookup(&reactor, "[::1]:7").await.unwrap(), [SocketAddr::from((V6, 7))]);
        assert_eq!(asked.get(), 2);
    });
}

/// Behaviour 53: the same port, at one address silent, and at the other not.
fn an_address_that_hangs_does_not_hold_the_next_one_up(world: &World) {
    task(world, |reactor| async move {
        let other: IpAddr = Ipv4Addr::new(127, 0, 0, 2).into();
        let (_listener, silent, _line) = silent((V4, 0).into());
        reactor.set_resolver(fixed(&[V4, other]));
        let listener = TcpListener::bind(&reactor, (other, silent.port())).unwrap();
        reaches(&reactor, listener).await;
        assert_eq!(reactor.dump().sources.iter().filter(|source| !source.limbo).count(), 0);
    });
}

/// Behaviour 53: IPv6 first, and silent; IPv4 works.
fn a_family_that_hangs_does_not_hold_the_other_one_up(world: &World) {
    if let Err(error) = std::net::TcpListener::bind((V6, 0)) {
        return println!("no IPv6 here: {error}");
    }
    task(world, |reactor| async move {
        // The same port of the other family may be somebody else's.
        let (silent, listener) = loop {
            let silent = silent((V6, 0).into());
            match TcpListener::bind(&reactor, (V4, silent.1.port())) {
                Ok(listener) => break (silent, listener),
                Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse),
            }
        };
        assert!(once(TcpStream::connect(&reactor, silent.1)).await.is_none());
        reactor.set_resolver(fixed(&[V6, V4]));
        reaches(&reactor, listener).await;
        assert_eq!(reactor.dump().sources.iter().filter(|source| !source.limbo).count(), 0);
    });
}

/// Behaviour 53.
fn every_failure_is_in_the_error(world: &World) {
    task(world, |reactor| async move {
        reactor.set_resolver(fixed(&[V4, Ipv4Addr::new(127, 0, 0, 2).into()]));
        let port = nobody().port();
        let error = TcpStream::connect(&reactor, ("some.name", port)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let text = error.to_string();
        for part in [
            format!("connect to some.name:{port}: "),
            format!("127.0.0.1:{port}: "),
            format!("127.0.0.2:{port}: "),
        ] {
            assert!(text.contains(&part), "{text}");
        }
    });
}

/// Behaviour 54.
fn a_name_that_does_not_exist_is_said_to_be(world: &World) {
    task(world, |reactor| async move {
        // By the system: that answers at once, or has no name server to ask.
        let unknown = lookup(&reactor, "nosuch.invalid:80");
        let unknown = reactor.timeout(LIMIT / 2, unknown).await.unwrap().unwrap_err();
        assert!(unknown.to_string().starts_with("look up nosuch.invalid: "), "{unknown}");
        for answer in [Err(ErrorKind::NotFound), Ok(Vec::new())] {
            reactor.set_resolver(Fixed(answer, Rc::default()));
            let error = TcpStream::connect(&reactor, "no.such:80").await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::NotFound);
            assert!(error.to_string().starts_with("look up no.such: "), "{error}");
        }
    });
}

/// A resolver that never answers, and tells when it is given up.
struct Silent(Rc<RefCell<Vec<&'static str>>>);

struct GivenUp(Rc<RefCell<Vec<&'static str>>>);

impl Drop for GivenUp {
    fn drop(&mut self) {
        self.0.borrow_mut().push("given up");
    }
}

impl Resolve for Silent {
    fn resolve(&self, _: &str, _: u16) -> LocalBoxFuture<io::Result<Vec<SocketAddr>>> {
        self.0.borrow_mut().push("asked");
        let given_up = GivenUp(Rc::clone(&self.0));
        Box::pin(async move {
            let _given_up = given_up;
            std::future::pending().await
        })
    }
}

/// Asks servers over the reactor's own sockets.
struct Asking(Rc<()>, #[expect(dead_code, reason = "it is held")] Handle);

impl Resolve for Asking {
    fn resolve(&self, _: &str, _: u16) -> LocalBoxFuture<io::Result<Vec<SocketAddr>>> {
        let asked = Rc::clone(&self.0);
        Box::pin(async move {
            let _asked = asked;
            std::future::pending().await
        })
    }
}

/// Behaviour 42.
fn a_resolver_may_hold_a_handle_of_its_reactor(world: &World) {
    let held = Rc::new(());
    for is_finished in [false, true] {
        let reactor = world.unhurried();
        let host = world.has_host().then(|| world.host(&reactor));
        let resolver = || Asking(Rc::clone(&held), reactor.handle());
        reactor.set_resolver(resolver());
        let handle = reactor.handle();
        let look_up = async move { drop(TcpStream::connect(&handle, "some.name:80").await) };
        reactor.spawn_local(look_up).detach();
        if is_finished {
            let _the_task_was_cancelled = reactor.finish(LIMIT).unwrap();
            assert_eq!(Rc::strong_count(&held), 1);
            // One that comes too late is not kept.
            reactor.set_resolver(resolver());
        }
        drop((host, reactor));
        assert_eq!(Rc::strong_count(&held), 1, "finished: {is_finished}");
    }
}

/// Behaviour 54.
fn a_look_up_that_nobody_wants_is_dropped(world: &World) {
    task(world, |reactor| async move {
        let log = Rc::new(RefCell::new(Vec::new()));
        reactor.set_resolver(Silent(Rc::clone(&log)));
        assert!(once(TcpStream::connect(&reactor, "some.name:80")).await.is_none());
        assert_eq!(log.take(), ["asked", "given up"]);
        let limit = Duration::from_millis(5);
        let timed = TcpStream::connect_timeout(&reactor, "some.name:80", limit);
        assert_eq!(timed.await.unwrap_err().kind(), ErrorKind::TimedOut);
        assert_eq!(log.take(), ["asked", "given up"]);
    });
}

/// Behaviour 54.
fn a_thousand_look_ups_end_and_cancelled_ones_leave_room(world: &World) {
    task(world, |reactor| async move {
        for cancelled in [true, false] {
            let tasks: Vec<_> =
                (0..1000).map(|_| reactor.spawn_local(lookup(&reactor, "localhost:80"))).collect();
            yield_now().await;
            if cancelled {
                drop(tasks);
                continue;
            }
            for task in tasks {
                let addresses = task.await.unwrap();
                assert!(addresses.iter().all(|address| address.ip().is_loopback()));
                assert!(!addresses.is_empty());
            }
        }
    });
}

/// Behaviour 53: nothing is there; something is there and nobody listens.
fn a_unix_socket_that_is_not_there_is_named(world: &World) {
    task(world, |reactor| async move {
        let place = Place::new();
        let path = place.0.to_str().unwrap();
        let error = UnixStream::connect(&reactor, &place.0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(error.to_string().contains(path), "{error}");
        drop(UnixListener::bind(&reactor, &place.0).unwrap());
        crate::pairs::settled(&reactor).await;
        let error = UnixStream::connect(&reactor, &place.0).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        let long = "x".repeat(200);
        let error = UnixStream::connect(&reactor, long).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    });
}

/// Behaviour 53: more connect than the line holds.
fn a_full_unix_listener_is_tried_again(world: &World) {
    task(world, |reactor| async move {
        let place = Place::new();
        let socket = socket2::Socket::new(socket2::Domain::UNIX, socket2::Type::STREAM, None);
        let socket = socket.unwrap();
        socket.bind(&socket2::SockAddr::unix(&place.0).unwrap()).unwrap();
        socket.listen(1).unwrap();
        let listener = std::os::unix::net::UnixListener::from(std::os::fd::OwnedFd::from(socket));
        let listener = UnixListener::new(&reactor, listener).unwrap();
        let clients: Vec<_> =
            (0..10).map(|_| reactor.spawn_local(UnixStream::connect(&reactor, &place.0))).collect();
        while clients.iter().filter(|client| client.is_finished()).count() < 2 {
            yield_now().await;
        }
        assert!(clients.iter().any(|client| !client.is_finished()));
        let mut accepted = Vec::new();
        for _ in 0..10 {
            accepted.push(listener.accept().await.unwrap());
        }
        for client in clients {
            client.await.unwrap();
        }
    });
}

/// Behaviour 53 for listeners.
fn errors_name_what_was_to_be_listened_on(world: &World) {
    task(world, |reactor| async move {
        let taken = TcpListener::bind(&reactor, "127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = TcpListener::bind(&reactor, address).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().starts_with(&format!("listen on {address}: ")), "{error}");
        let place = Place::new();
        let first = UnixListener::bind(&reactor, &place.0).unwrap();
        let error = UnixListener::bind(&reactor, &place.0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
        assert!(error.to_string().contains(place.0.to_str().unwrap()), "{error}");
        drop(first);
    });
}
