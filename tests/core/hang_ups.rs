//! The ends of a connection, as its source hears of them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use interloop::{Action, BackendKind, Interest};

use crate::cases;
use crate::pairs::{Heard, fence, fill, pair, read, script, write};
use crate::world::World;

cases!(
    a_half_close_is_readable_and_reads_as_the_end,
    a_hang_up_is_reported_to_every_interest,
    a_reset_arrives_as_readiness_and_the_read_says_it,
    a_connect_that_fails_arrives_writable_with_its_error,
);

/// Behaviour 15.
fn a_half_close_is_readable_and_reads_as_the_end(world: &World) {
    script(world, |reactor| {
        let (near, far) = pair();
        let heard = Heard::new();
        let tell = heard.clone();
        let source = reactor.register(near, Interest::READABLE, move |io, readiness| {
            assert!(readiness.is_readable(), "{readiness:?}");
            tell.tell(read(io));
            Action::Disarm
        });
        let source = source.unwrap();
        async move {
            far.shutdown(std::net::Shutdown::Write).unwrap();
            assert_eq!(heard.next().await, None);
            // The other half lives on.
            write(source.get_ref(), b"a");
            assert_eq!(read(&far), Some(b'a'));
        }
    });
}

/// Behaviour 15.
fn a_hang_up_is_reported_to_every_interest(world: &World) {
    script(world, |reactor| {
        let reactor = reactor.handle();
        async move {
            for interest in [Interest::READABLE, Interest::WRITABLE] {
                let (near, far) = pair();
                fill(&near);
                let heard = Heard::new();
                let tell = heard.clone();
                let source = reactor.register(near, interest, move |mut io, readiness| {
                    let failed = io.write_all(b"a").is_err();
                    tell.tell((readiness.answers(interest), failed));
                    Action::Disarm
                });
                fence(&reactor).await;
                assert_eq!(heard.rest(), []);
                drop(far);
                assert_eq!(heard.next().await, (interest, true));
                drop(source);
            }
        }
    });
}

/// A connection on the loopback interface: its two ends, that do not block.
fn connection() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let near = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (far, _) = listener.accept().unwrap();
    near.set_nonblocking(true).unwrap();
    far.set_nonblocking(true).unwrap();
    (near, far)
}

/// True for libkqueue, which asks each socket for its pending error, and so takes it away.
fn takes_errors(world: &World) -> bool {
    world.backend == BackendKind::Kqueue && cfg!(target_os = "linux")
}

/// Behaviour 15.
fn a_reset_arrives_as_readiness_and_the_read_says_it(world: &World) {
    let takes_errors = takes_errors(world);
    script(world, |reactor| {
        let (near, far) = connection();
        let heard = Heard::new();
        let tell = heard.clone();
        let source = reactor.register(near, Interest::READABLE, move |mut io, readiness| {
            assert!(readiness.is_readable(), "{readiness:?}");
            tell.tell(io.read(&mut [0; 16]).map_err(|error| error.kind()));
            Action::Remove
        });
        async move {
            rustix::net::sockopt::set_socket_linger(&far, Some(Duration::ZERO)).unwrap();
            drop(far);
            let reset = heard.next().await == Err(std::io::ErrorKind::ConnectionReset);
            assert!(reset || takes_errors);
            drop(source);
        }
    });
}

/// Behaviour 15.
fn a_connect_that_fails_arrives_writable_with_its_error(world: &World) {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, connect, socket_with};
    let takes_errors = takes_errors(world);
    script(world, |reactor| {
        // A port that was ours, and that nobody listens on any more.
        let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let socket = socket_with(AddressFamily::INET, SocketType::STREAM, flags, None).unwrap();
        let connecting = connect(&socket, &nobody);
        assert_eq!(connecting, Err(rustix::io::Errno::INPROGRESS));
        let stream = TcpStream::from(socket);
        let heard = Heard::new();
        let tell = heard.clone();
        let source = reactor.register(stream, Interest::WRITABLE, move |io, readiness| {
            assert!(readiness.is_writable() && readiness.is_error(), "{readiness:?}");
            tell.tell(io.take_error().unwrap().map(|error| error.kind()));
            Action::Remove
        });
        async move {
            let refused = heard.next().await == Some(std::io::ErrorKind::ConnectionRefused);
            assert!(refused || takes_errors);
            drop(source);
        }
    });
}
