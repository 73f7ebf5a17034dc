//! TCP connections with both ends in one reactor, over which messages go round.

use std::cell::{Cell, RefCell};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::rc::Rc;

use crate::{Action, Handle, Interest, Source};

/// How many messages of a connection are under way.
const WINDOW: u64 = 4;
const SIZE: usize = size_of::<u64>();

/// Two connected streams that do not block.
pub(super) fn pair() -> (TcpStream, TcpStream) {
    let connect = || {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let near = TcpStream::connect(listener.local_addr()?)?;
        let (far, _) = listener.accept()?;
        for stream in [&near, &far] {
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
        }
        io::Result::Ok((near, far))
    };
    connect().expect("the loopback interface connects")
}

/// Some connections, on each of which numbered messages go to a peer and come back.
pub(super) struct Traffic {
    counts: Rc<Counts>,
    _ends: Vec<Source<TcpStream>>,
}

struct Counts {
    sent: Cell<u64>,
    received: Cell<u64>,
    /// Each message that came back is answered with another.
    going: Cell<bool>,
}

impl Traffic {
    /// Sends the first messages of `connections` connections.
    pub(super) fn start(reactor: &Handle, connections: usize) -> Traffic {
        let counts = Counts { sent: Cell::new(0), received: Cell::new(0), going: Cell::new(true) };
        let counts = Rc::new(counts);
        let mut ends = Vec::new();
        for _ in 0..connections {
            let (client, server) = pair();
            ends.push(echo(reactor, server));
            ends.push(ask(reactor, client, &counts));
        }
        Traffic { counts, _ends: ends }
    }

    /// How many messages have come back.
    pub(super) fn received(&self) -> u64 {
        self.counts.received.get()
    }

    /// Sends no further message.
    pub(super) fn stop(&self) {
        self.counts.going.set(false);
    }

    /// True when every message has come back.
    pub(super) fn is_drained(&self) -> bool {
        !self.counts.going.get() && self.counts.sent.get() == self.counts.received.get()
    }
}

/// The end that sends back what it gets.
fn echo(reactor: &Handle, stream: TcpStream) -> Source<TcpStream> {
    let source = reactor.register(stream, Interest::READABLE, |mut stream, _| {
        let mut bytes = [0; 256];
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => return Action::Remove,
                // Nothing that fits into the window fills a socket's buffer.
                Ok(count) => stream.write_all(&bytes[..count]).expect("the client reads"),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Action::Rearm,
                Err(error) => panic!("the server's end: {error}"),
            }
        }
    });
    source.expect("a stream can be registered")
}

/// The end that sends numbers, and expects them back in their order.
fn ask(reactor: &Handle, stream: TcpStream, counts: &Rc<Counts>) -> Source<TcpStream> {
    let next = Rc::new(Cell::new(0_u64));
    let send = {
        let (next, counts) = (Rc::clone(&next), Rc::clone(counts));
        move |mut stream: &TcpStream| {
            stream.write_all(&next.get().to_ne_bytes()).expect("the server reads");
            next.set(next.get() + 1);
            counts.sent.set(counts.sent.get() + 1);
        }
    };
    (0..WINDOW).for_each(|_| send(&stream));
    let counts = Rc::clone(counts);
    let (expected, begun) = (Cell::new(0), RefCell::new(Vec::new()));
    let source = reactor.register(stream, Interest::READABLE, move |mut stream, _| {
        let mut bytes = [0; 256];
        let mut begun = begun.borrow_mut();
        let action = loop {
            match stream.read(&mut bytes) {
                Ok(0) => break Action::Remove,
                Ok(count) => begun.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break Action::Rearm,
                Err(error) => panic!("the client's end: {error}"),
            }
        };
        let whole = begun.len() - begun.len() % SIZE;
        for message in begun.drain(..whole).as_slice().chunks_exact(SIZE) {
            let number = u64::from_ne_bytes(message.try_into().expect("a whole message"));
            assert_eq!(number, expected.get(), "a message was lost or overtaken");
            expected.set(number + 1);
            counts.received.set(counts.received.get() + 1);
            if counts.going.get() {
                send(stream);
            }
        }
        action
    });
    source.expect("a stream can be registered")
}
