//! The clients: what they say is one thing, and whether a callback or a task says it another.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::rc::Rc;
use std::sync::Arc;

use interloop::{Action, Handle, Interest, Source};

use crate::{Party, Tally, add_one, unless_blocked};

const CLIENTS: u64 = 100;

/// Starts all clients, and shares the messages out among them.
pub fn start(
    reactor: &Handle,
    server: SocketAddr,
    messages: u64,
    party: &Arc<Party>,
    tally: &Rc<Tally>,
) -> io::Result<()> {
    for number in 0..CLIENTS {
        let client = Client {
            number,
            left: messages / CLIENTS + u64::from(number < messages % CLIENTS),
            message: [0; LENGTH],
            echo: Vec::with_capacity(LENGTH),
            tally: Rc::clone(tally),
            _guest: Arc::clone(party),
        };
        let stream = connect(server)?;
        if number % 2 == 0 {
            start_callback(reactor, stream, client)?;
        } else {
            start_task(reactor, stream, client)?;
        }
    }
    Ok(())
}

/// Connects. Over loopback the kernel does that at once; elsewhere it would block the host.
pub fn connect(server: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(server)?;
    stream.set_nonblocking(true)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// A client as a callback: each event calls it, and its answer says what happens next.
fn start_callback(reactor: &Handle, stream: TcpStream, mut client: Client) -> io::Result<()> {
    let label = client.name();
    if !client.send(&stream)? {
        return Ok(());
    }
    let callback = move |stream: &TcpStream, _| match client.hear(stream) {
        Ok(true) => Action::Rearm,
        Ok(false) => Action::Remove,
        Err(error) => {
            client.tally.trouble(client.name(), &error);
            Action::Remove
        }
    };
    reactor.register(stream, Interest::READABLE, callback)?.label(label).detach();
    Ok(())
}

/// A client as a task: it waits for an event where it stands, and need not be `Send`.
fn start_task(reactor: &Handle, stream: TcpStream, mut client: Client) -> io::Result<()> {
    let label = client.name();
    let stream = reactor.source(stream)?.label(label.clone());
    let task = async move {
        if let Err(error) = client.talk(&stream).await {
            client.tally.trouble(client.name(), &error);
        }
    };
    reactor.spawn_local(task).label(label).detach();
    Ok(())
}

/// The number of the client, and how many messages it has left.
const LENGTH: usize = 16;

struct Client {
    number: u64,
    left: u64,
    /// The message that is on its way.
    message: [u8; LENGTH],
    /// What has come back of it.
    echo: Vec<u8>,
    tally: Rc<Tally>,
    /// The party goes on while this lives.
    _guest: Arc<Party>,
}

impl Client {
    fn name(&self) -> String {
        format!("client {}", self.number)
    }

    async fn talk(&mut self, stream: &Source<TcpStream>) -> io::Result<()> {
        let mut more = self.send(stream.get_ref())?;
        while more {
            stream.ready(Interest::READABLE).await?;
            more = self.hear(stream.get_ref())?;
        }
        Ok(())
    }

    /// Sends the next message. False when there is none.
    fn send(&mut self, mut stream: &TcpStream) -> io::Result<bool> {
        if self.left == 0 {
            return Ok(false);
        }
        self.left -= 1;
        self.message[..8].copy_from_slice(&self.number.to_be_bytes());
        self.message[8..].copy_from_slice(&self.left.to_be_bytes());
        // One message is on its way at a time, and for that the socket has room.
        stream.write_all(&self.message)?;
        Ok(true)
    }

    /// Reads what has come of the echo. When that is whole, checks it and sends the next message.
    /// False when there is none.
    fn hear(&mut self, mut stream: &TcpStream) -> io::Result<bool> {
        let mut bytes = [0; LENGTH];
        let rest = LENGTH - self.echo.len();
        match unless_blocked(stream.read(&mut bytes[..rest]))? {
            Some(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            count => self.echo.extend(&bytes[..count.unwrap_or(0)]),
        }
        if self.echo.len() < LENGTH {
            return Ok(true);
        }
        if self.echo != self.message {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "the echo is another message"));
        }
        self.echo.clear();
        add_one(&self.tally.echoed);
        self.send(stream)
    }
}
