//! Connecting: one address, or the first of several that answers (RFC 8305, "Happy Eyeballs").

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;
use std::time::Duration;

use interloop_backends::AsSource;
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket, Type};

use super::Context;
use super::tcp::TcpStream;
use crate::async_object::Async;
use crate::handle::Handle;
use crate::label::Label;
use crate::timer::Sleep;

/// How long an attempt has for itself, before the next address is tried beside it.
const ATTEMPT_DELAY: Duration = Duration::from_millis(250);

type Attempt = Pin<Box<dyn Future<Output = io::Result<TcpStream>>>>;

/// Connects to the first of `addresses` that answers. They are tried one after the other, by turns
/// of the two families; a failure brings the next one on at once.
pub(super) async fn connect_any(
    handle: Handle,
    addresses: Vec<SocketAddr>,
    name: String,
    label: Label,
) -> io::Result<TcpStream> {
    let mut race = Race {
        left: by_turns(addresses),
        attempts: Vec::new(),
        patience: None,
        failures: Vec::new(),
        handle,
        label,
    };
    if let Some(stream) = poll_fn(|cx| race.poll(cx)).await {
        return Ok(stream);
    }
    race.handle.core().credit().await;
    Err(all_failed(&name, race.failures))
}

struct Race {
    left: VecDeque<SocketAddr>,
    attempts: Vec<Attempt>,
    /// Until the next attempt begins.
    patience: Option<Sleep>,
    failures: Vec<io::Error>,
    handle: Handle,
    label: Label,
}

impl Race {
    fn poll(&mut self, cx: &mut std::task::Context<'_>) -> Poll<Option<TcpStream>> {
        loop {
            let mut failed = self.attempts.is_empty();
            let mut index = 0;
            while index < self.attempts.len() {
                match self.attempts[index].as_mut().poll(cx) {
                    Poll::Ready(Ok(stream)) => return Poll::Ready(Some(stream)),
                    Poll::Ready(Err(error)) => {
                        self.failures.push(error);
                        drop(self.attempts.remove(index));
                        failed = true;
                    }
                    Poll::Pending => index += 1,
                }
            }
            let waited = match &mut self.patience {
                Some(patience) => Pin::new(patience).poll(cx).is_ready(),
                None => false,
            };
            if !failed && !waited {
                return Poll::Pending;
            }
            self.patience = None;
            let Some(address) = self.left.pop_front() else {
                return if self.attempts.is_empty() { Poll::Ready(None) } else { Poll::Pending };
            };
            let attempt = connect_one(self.handle.clone(), address, self.label.clone());
            self.attempts.push(Box::pin(attempt));
            if !self.left.is_empty() {
                self.patience = Some(self.handle.sleep(ATTEMPT_DELAY));
            }
        }
    }
}

/// The two families by turns, beginning with that of the first address.
fn by_turns(addresses: Vec<SocketAddr>) -> VecDeque<SocketAddr> {
    let first = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut these, mut others): (VecDeque<_>, VecDeque<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let mut turns = VecDeque::new();
    while !these.is_empty() || !others.is_empty() {
        turns.extend(these.pop_front());
        turns.extend(others.pop_front());
    }
    turns
}

fn all_failed(name: &str, mut failures: Vec<io::Error>) -> io::Error {
    if failures.len() == 1 {
        return failures.remove(0);
    }
    let kind = failures.first().map_or(io::ErrorKind::InvalidInput, io::Error::kind);
    let all: Vec<String> = failures.iter().map(ToString::to_string).collect();
    let all = if all.is_empty() { "no address was given".to_owned() } else { all.join("; ") };
    io::Error::new(kind, format!("connect to {name}: {all}"))
}

/// Connects to one address.
async fn connect_one(handle: Handle, address: SocketAddr, label: Label) -> io::Result<TcpStream> {
    let connect = async {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
        begin(&socket, &address.into())?;
        let socket = std::net::TcpStream::from(socket);
        let object = Async::connecting(&handle, socket, label)?;
        established(&object, |socket| socket.peer_addr().map(drop)).await?;
        Ok(TcpStream::from_object(object))
    };
    connect.await.map_err(|error| Context::add(format_args!("connect to {address}"), error))
}

/// Begins to connect a socket, without waiting.
pub(super) fn begin(socket: &Socket, address: &SockAddr) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    match socket.connect(address) {
        Err(error) if is_in_progress(&error) => Ok(()),
        result => result,
    }
}

#[cfg(unix)]
fn is_in_progress(error: &io::Error) -> bool {
    // After a signal the connect goes on by itself.
    matches!(error.raw_os_error(), Some(libc::EINPROGRESS | libc::EINTR))
}

#[cfg(windows)]
fn is_in_progress(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::WouldBlock
}

/// Waits until a socket that connects has done so, or failed.
pub(super) async fn established<S: AsSource + 'static>(
    object: &Async<S>,
    peer: impl Fn(&S) -> io::Result<()>,
) -> io::Result<()> {
    object
        .write_with(|socket| {
            if let Some(error) = SockRef::from(&socket.as_source()).take_error()? {
                return Err(error);
            }
            match peer(socket) {
                // It is neither connected nor failed: it was woken too early.
                Err(error) if error.kind() == io::ErrorKind::NotConnected && !ended(socket) => {
                    Err(io::ErrorKind::WouldBlock.into())
                }
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {
                    let message = "the connection failed, and the backend has taken the reason";
                    Err(io::Error::new(io::ErrorKind::ConnectionRefused, message))
                }
                result => result,
            }
        })
        .await
}

/// True when a socket that is not connected will not be: it is readable, for it has ended. (While it
/// connects, it is neither readable nor writable.)
fn ended(socket: &impl AsSource) -> bool {
    use interloop_backends::{Interest, is_ready};
    is_ready(socket.as_source(), Interest::READABLE | Interest::WRITABLE).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_families_take_turns() {
        let all = |texts: &[&str]| -> Vec<SocketAddr> {
            texts.iter().map(|text| text.parse().unwrap()).collect()
        };
        let turns = by_turns(all(&["[::1]:1", "[::2]:1", "[::3]:1", "1.0.0.1:1", "1.0.0.2:1"]));
        assert_eq!(
            Vec::from(turns),
            all(&["[::1]:1", "1.0.0.1:1", "[::2]:1", "1.0.0.2:1", "[::3]:1"])
        );
    }

    #[test]
    fn every_failure_is_told() {
        let failures = ["a", "b"].map(io::Error::other);
        let error = all_failed("host:1", failures.into());
        assert_eq!(error.to_string(), "connect to host:1: a; b");
        assert_eq!(all_failed("host:1", Vec::new()).kind(), io::ErrorKind::InvalidInput);
    }
}
