//! Connected sockets for tasks, and what the cases of the network do with them.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::ops::Range;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::Poll;

use futures_lite::{AsyncRead, AsyncWrite, AsyncWriteExt};
use interloop::Handle;
use interloop::net::TcpStream;

use crate::pairs::script;
use crate::world::World;

/// Runs a case that is a task.
pub fn task<F: Future<Output = ()> + 'static>(world: &World, steps: impl FnOnce(Handle) -> F) {
    script(world, |reactor| steps(reactor.handle()));
}

/// Two ends of a TCP connection.
pub fn tcp(reactor: &Handle) -> (TcpStream, TcpStream) {
    let (near, far) = std_tcp();
    (TcpStream::new(reactor, near).unwrap(), TcpStream::new(reactor, far).unwrap())
}

/// Two ends of a TCP connection, which nobody watches.
pub fn std_tcp() -> (std::net::TcpStream, std::net::TcpStream) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let near = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    // Others of this machine connect where they want.
    loop {
        let (far, peer) = listener.accept().unwrap();
        if peer == near.local_addr().unwrap() {
            return (near, far);
        }
    }
}

/// An address where nobody listens.
pub fn nobody() -> SocketAddr {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    socket.bind(&any.into()).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    // Bound and not listening: nobody else gets the number while the tests run.
    std::mem::forget(socket);
    address
}

/// A future that is polled once: what it gave, or None when it would wait. It is dropped.
pub async fn once<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// Writes until there is no room, and gives how much went.
pub async fn fill(to: &mut (impl AsyncWrite + Unpin)) -> usize {
    let mut filled = 0;
    while let Some(written) = once(to.write(&[0; 65536])).await {
        filled += written.unwrap();
        // A task has no more credit sometimes, and that is no full buffer.
        crate::futures::yield_now().await;
    }
    filled
}

/// The bytes of a stream that the cases send, which begin anew after so many.
const PERIOD: usize = 65_521;

static BYTES: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let byte = |place: usize| ((place % PERIOD).wrapping_mul(2_654_435_761) >> 16) as u8;
    (0..2 * PERIOD).map(byte).collect()
});

/// The bytes of these places, at most `PERIOD` of them.
pub fn bytes_at(places: Range<usize>) -> &'static [u8] {
    let start = places.start % PERIOD;
    &BYTES[start..start + places.len()]
}

/// Writes the bytes of these places.
pub async fn send(
    to: &mut (impl AsyncWrite + Unpin),
    places: Range<usize>,
    chunk: usize,
) -> io::Result<()> {
    let mut place = places.start;
    while place < places.end {
        place += to.write(bytes_at(place..places.end.min(place + chunk))).await?;
    }
    Ok(())
}

/// Reads to the end, and checks each byte; gives how many there were.
pub async fn receive(from: &mut (impl AsyncRead + Unpin), buffer: usize) -> io::Result<usize> {
    let mut bytes = vec![0; buffer];
    let mut place = 0;
    loop {
        let read = poll_fn(|cx| Pin::new(&mut *from).poll_read(cx, &mut bytes)).await?;
        if read == 0 {
            return Ok(place);
        }
        assert!(bytes[..read] == *bytes_at(place..place + read), "after {place} bytes");
        place += read;
    }
}
