//! A TCP server that sends back what it gets: a listener, and a callback for each connection.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::rc::Rc;

use interloop::{Action, Handle, Interest};

use crate::{Tally, unless_blocked};

/// Starts the server, and returns its address.
pub fn start(reactor: &Handle, tally: &Rc<Tally>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    // What a callback does must not block: the host would stand still.
    listener.set_nonblocking(true)?;
    let address = listener.local_addr()?;
    let (handle, tally) = (reactor.handle(), Rc::clone(tally));
    let accept = move |listener: &TcpListener, _| match accept_all(listener, &handle, &tally) {
        Ok(()) => Action::Rearm,
        // Out of descriptors, for one. To go on would be to be called for the same again at once.
        Err(error) => {
            tally.trouble("the server", &error);
            handle.stop();
            Action::Remove
        }
    };
    // Dropping a source closes it. Detached, it stays until the shutdown.
    reactor.register(listener, Interest::READABLE, accept)?.label("the server").detach();
    Ok(address)
}

fn accept_all(listener: &TcpListener, reactor: &Handle, tally: &Rc<Tally>) -> io::Result<()> {
    loop {
        match listener.accept() {
            Ok((stream, _)) => serve(stream, reactor, tally)?,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(error) => return Err(error),
        }
    }
}

fn serve(stream: TcpStream, reactor: &Handle, tally: &Rc<Tally>) -> io::Result<()> {
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    let tally = Rc::clone(tally);
    let mut unsent = Vec::new();
    let callback = move |stream: &TcpStream, _| {
        echo(stream, &mut unsent).unwrap_or_else(|error| {
            tally.trouble("a connection of the server", &error);
            Action::Remove
        })
    };
    reactor.register(stream, Interest::READABLE, callback)?.label("a connection").detach();
    Ok(())
}

/// Reads once, and sends that back. What the socket does not take waits until it is writable.
fn echo(mut stream: &TcpStream, unsent: &mut Vec<u8>) -> io::Result<Action> {
    if unsent.is_empty() {
        let mut bytes = [0; 1024];
        match unless_blocked(stream.read(&mut bytes))? {
            Some(0) => return Ok(Action::Remove),
            count => unsent.extend(&bytes[..count.unwrap_or(0)]),
        }
    }
    let sent = unless_blocked(stream.write(unsent))?.unwrap_or(0);
    unsent.drain(..sent);
    // A source hears of one event at a time, and a callback answers what it wants next.
    let next = if unsent.is_empty() { Interest::READABLE } else { Interest::WRITABLE };
    Ok(Action::RearmFor(next))
}
